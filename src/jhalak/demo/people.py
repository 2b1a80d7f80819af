"""The people of the demo world: 24 creators who post, and the staff whose log-ins are printed.
Plain data.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Creator:
    handle: str
    name: str
    language: str
    bio: str


@dataclass(frozen=True)
class Staff:
    handle: str
    role: str
    tells: str  # what one can try with this log-in


CREATORS: tuple[Creator, ...] = (
    Creator("meena_kolam", "மீனா", "ta", "தினமும் ஒரு கோலம். மதுரை."),
    Creator("sushila.tai", "सुशीला ताई", "mr", "रांगोळी, सण आणि थोडी गंमत. पुणे."),
    Creator("raju_cells", "రాజు", "te", "చిన్న నియమాలు, పెద్ద ప్రపంచాలు."),
    Creator("ishaan_grid", "Ishaan", "en", "I water pixels and see what grows."),
    Creator("anant_rekha", "अनंत रेखा", "hi", "रेखाएँ जो कभी खत्म नहीं होतीं।"),
    Creator("mousumi.f", "মৌসুমী", "bn", "অসীমের ছবি আঁকি। শান্তিনিকেতন।"),
    Creator("kadal_selvan", "கடல் செல்வன்", "ta", "அலைகளும் ஒலியும். தூத்துக்குடி."),
    Creator("gauri_naik", "गौरी नाईक", "mr", "समुद्र, वारा, कोकण."),
    Creator("pooja_hawa", "पूजा राठौड़", "hi", "हवा का रास्ता रंग से। जैसलमेर।"),
    Creator("pavan_k", "ಪವನ್ ಕುಮಾರ್", "kn", "ಗಾಳಿ, ಬಣ್ಣ, ಕೊಳಲು. ಮೈಸೂರು."),
    Creator("akshar_ghar", "अक्षर घर", "hi", "अक्षर चलते हैं, हम देखते हैं।"),
    Creator("lipi_lab", "ലിപി ലാബ്", "ml", "അക്ഷരങ്ങളുടെ കളിസ്ഥലം. കോഴിക്കോട്."),
    Creator("rahim_saaz", "رحیم ساز", "ur", "آواز کو دیکھنا سیکھ رہا ہوں۔ لکھنؤ۔"),
    Creator("lakshmi_veena", "వీణ లక్ష్మి", "te", "వీణ, రాగం, గీతలు."),
    Creator("pakhi_dekha", "পাখি দেখা", "bn", "ভোরে উঠি, পাখি দেখি।"),
    Creator("jignesh_patang", "જીજ્ઞેશ", "gu", "પતંગ, પવન અને અમદાવાદ."),
    Creator("harpreet_rang", "ਹਰਪ੍ਰੀਤ ਕੌਰ", "pa", "ਰੰਗ ਉੱਗਦੇ ਹਨ, ਮੈਂ ਬੱਸ ਵੇਖਦੀ ਹਾਂ।"),
    Creator("jaya_menon", "ജയ മേനോൻ", "ml", "രസതന്ത്രം ചിത്രമാകുമ്പോൾ."),
    Creator("ganita_geleya", "ಗಣಿತ ಗೆಳೆಯ", "kn", "ಮಾತಿಲ್ಲದ ಸಾಧನೆಗಳು."),
    Creator("ramans_slate", "Raman's slate", "en", "Chalk, ten seconds, no words."),
    Creator("megha_das", "ମେଘା ଦାସ", "or", "ବର୍ଷା, ଜହ୍ନ, ତାରା। ପୁରୀ।"),
    Creator("tsering_sky", "Tsering Dolma", "en", "Night skies over Ladakh."),
    Creator("hetal_patola", "હેતલ", "gu", "તાણો અને વાણો. પાટણ."),
    Creator("farida_bandhej", "فریدہ بانو", "ur", "گرہ در گرہ، رنگ در رنگ۔"),
)

STAFF: tuple[Staff, ...] = (
    Staff("viewer", "viewer", "watch, like, follow, save"),
    Staff("creator", "creator", "upload a clip and see it play"),
    Staff("moderator", "moderator", "take a video down and bring it back"),
    Staff("officer", "officer", "decide, and read the audit"),
    Staff("operator", "operator", "see the feed and the jobs at work"),
    Staff("auditor", "auditor", "read what was done, and by whom"),
)


def creator(handle: str) -> Creator:
    return next(one for one in CREATORS if one.handle == handle)
