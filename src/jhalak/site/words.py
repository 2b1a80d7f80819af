"""What the page's modules say to people, in the language of the request.

One JSON block in every page (`id="words"`); the modules name a text by its key, `{name}` in a text
is filled in by them. A test holds the keys here and the keys asked for there to be the same.
"""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Every text by its key."""
    return {
        **_common(),
        **_feed(),
        **_keys(),
        **_upload(),
        **_studio(),
        **_settings(),
        **_feed_data(),
        **_operator(),
    }


def _common() -> dict[str, str]:
    return {
        "a_video": _("A video on Jhalak"),
        "block": _("Block"),
        "block_hint": _("You will not see each other any more."),
        "block_text": _("From now on neither of you sees anything of the other."),
        "block_title": _("Block {name}?"),
        "cancel": _("Cancel"),
        "changed": _("Saved."),
        "clips": _("Clips"),
        "close": _("Close"),
        "copy_link": _("Copy link"),
        "discover": _("Discover"),
        "edit": _("Edit"),
        "download_asked": _("Being made:"),
        "download_ended": _("No longer kept:"),
        "download_failed": _("Could not be made. Ask again."),
        "download_fetch": _("Fetch it"),
        "download_ready": _("Ready:"),
        "follow": _("Follow"),
        "forget": _("Forget"),
        "forgotten": _("Forgotten."),
        "following": _("Following"),
        "leave_now": _("Leave"),
        "leave_text": _("You are logged out and hidden now, and erased after the days of grace."),
        "leave_title": _("Leave and be erased?"),
        "found": _("{count} clips found"),
        "handle_needed": _("Type your handle."),
        "just_now": _("just now"),
        "keep": _("Keep it"),
        "likes": _("Likes"),
        "link": _("Link"),
        "link_copied": _("Link copied."),
        "log_in": _("Log in"),
        "nothing_found": _("Nothing found"),
        "nothing_found_text": _("Nothing has “{words}” in it yet. Try fewer or other words."),
        "offline_bar": _("You are offline. What is loaded still plays."),
        "password_needed": _("Type your password."),
        "people": _("People"),
        "remove_tag": _("Remove tag {tag}"),
        "requested": _("Requested"),
        "server_trouble": _("Something went wrong on our side. Try again in a moment."),
        "share": _("Share"),
        "sound_silent": _("This sound does not play. Try again in a moment."),
        "sign_in_block": _("Log in to block people"),
        "sign_in_follow": _("Log in to follow {name}"),
        "sign_in_like": _("Log in to like this"),
        "sign_in_save": _("Log in to save this"),
        "sign_in_text": _(
            "An account is a name and a password, nothing more. You come back right here."
        ),
        "sign_up": _("Sign up"),
        "tags": _("Tags"),
        "try_again": _("Try again"),
        "unreachable": _("The network is away. Nothing is lost: try again in a moment."),
        "untitled": _("Without words"),
        "views": _("Views"),
    }


def _feed() -> dict[str, str]:
    return {
        "captions_in": _("Captions: {language}"),
        "captions_off": _("Hide captions"),
        "captions_on": _("Show captions"),
        "feed_empty": _("Nothing here yet"),
        "feed_empty_text": _("The first clip could be yours."),
        "feed_end": _("That is all for now"),
        "feed_end_text": _("You have seen everything here. New clips come all the time."),
        "feed_trouble": _("The feed did not come"),
        "following_empty": _("Nothing new from people you follow"),
        "following_empty_text": _("Follow a few people and their clips gather here."),
        "following_guest": _("The people you follow"),
        "following_guest_text": _("Log in, follow a few people, and their clips gather here."),
        "less": _("less"),
        "less_of_this": _("You will see less like this."),
        "look_again": _("Look again"),
        "menu": _("This clip"),
        "more": _("more"),
        "not_interested": _("Not interested"),
        "not_interested_text": _("You will see less like this."),
        "reason": _("Why"),
        "restore": _("Bring back"),
        "restore_text": _("It is seen again where it was. Your reason is in the audit."),
        "restore_title": _("Bring this clip back"),
        "restored": _("Brought back."),
        "see_again": _("Look at it"),
        "see_profile": _("See {name}"),
        "sound_off": _("Sound off"),
        "sound_of": _("Original sound · @{handle}"),
        "sound_on": _("Sound on"),
        "sound_original": _("Original sound"),
        "undo": _("Undo"),
        "undone": _("Taken back."),
        "upload_first": _("Upload a clip"),
        "video_by": _("A clip by {name}"),
        "withdraw": _("Take down"),
        "withdraw_text": _(
            "Nobody sees it from now on, but its author and moderators. You can bring it back."
            " Its author reads your reason."
        ),
        "withdraw_title": _("Take this clip down"),
        "withdrawn_now": _("Taken down."),
        "feed_knows": _("What the feed knows about you"),
        "feed_knows_text": _("See it, correct it, pause it."),
        "forget_this": _("Forget this: {what}"),
        "less_like_this": _("Less like this"),
        "strength_clear": _("counts"),
        "strength_none": _("brought it here"),
        "strength_slight": _("counts a little"),
        "strength_strong": _("counts a lot"),
        "why_explore": _("This place was given by chance, to learn what else you like."),
        "why_title": _("Why am I seeing this?"),
    }


def _keys() -> dict[str, str]:
    return {
        "keys": _("Keys"),
        "key_captions": _("Captions on or off"),
        "key_follow": _("Follow the author"),
        "key_help": _("This list"),
        "key_like": _("Like"),
        "key_next": _("Next clip"),
        "key_not_interested": _("Not interested"),
        "key_pause": _("Pause or play"),
        "key_previous": _("Clip before"),
        "key_save": _("Save for later"),
        "key_sound": _("Sound on or off"),
        "key_space": _("Space"),
        "key_why": _("Why am I seeing this?"),
    }


def _upload() -> dict[str, str]:
    return {
        "all_sent": _("All sent. You can close this page: your clip is safe."),
        "cancel_text": _("What was sent so far is thrown away."),
        "cancel_title": _("Stop this upload?"),
        "cancel_yes": _("Stop and throw away"),
        "choose_other": _("Choose another video"),
        "done_followers": _("Your followers can see it now."),
        "done_private": _("Only you can see it."),
        "done_public": _("Everybody can see it now."),
        "file_empty": _("This file is empty. Choose a video."),
        "file_large": _("This video has {size} MB. At most {most} MB: cut it or save it smaller."),
        "file_no_video": _("This file is not a video. Choose an MP4, MOV, MKV or WebM file."),
        "go_on": _("Go on"),
        "no_camera": _(
            "The camera is not open to this page. Allow it in the browser, or choose a file."
        ),
        "pause": _("Pause"),
        "play": _("Play"),
        "plays_now": _("It plays. This is how others see it."),
        "in_line_before": _("Waiting. About {count} before yours"),
        "in_line_many": _("Waiting: many clips today. About {count} before this one"),
        "in_line_next": _("Waiting. Yours is next"),
        "publishes_later": _("It will be published as soon as all of it has arrived."),
        "record": _("Record"),
        "recording": _("recording"),
        "sent_of": _("{sent} of {all} MB, continues if the line drops"),
        "state_checking": _("Checking your video"),
        "state_complete": _("Ready"),
        "state_failed": _("Could not be used"),
        "state_playable": _("It plays. Finer versions are being made"),
        "state_preparing": _("Preparing your video"),
        "state_received": _("Arrived. Waiting to be checked"),
        "stop": _("Stop"),
        "turn_camera": _("Other camera"),
        "upload_away": _("The network is away. The upload goes on by itself when it is back."),
        "upload_goes_on": _("We know this file: it goes on where it stopped."),
        "upload_going": _("Going on"),
        "upload_paused": _("Paused. What was sent is safe."),
        "your_file": _("Your video, as it is on this device"),
    }


def _studio() -> dict[str, str]:
    return {
        "delete": _("Delete"),
        "delete_text": _("It is gone for everybody, and cannot be brought back."),
        "delete_title": _("Delete this clip?"),
        "delete_yes": _("Delete for good"),
        "deleted": _("Deleted."),
        "captions": _("Captions"),
        "captions_deleted": _("Deleted: {language}."),
        "captions_kept": _("Not saved yet: what you wrote waits in the captions of this clip."),
        "captions_large": _("This is too large for captions. At most 256 KB."),
        "captions_saved": _("Saved: {language}."),
        "cue_from": _("Line {number}: from"),
        "cue_play": _("Line {number}: play from here"),
        "cue_remove": _("Line {number}: remove"),
        "cue_time": _("Line {number}: write times like 0:01.500"),
        "cue_to": _("Line {number}: to"),
        "cue_words": _("Line {number}: words"),
        "full_watches": _("Full watches"),
        "see_clip": _("See {title}"),
        "visible_followers": _("For followers"),
        "visible_private": _("Only for you"),
        "visible_public": _("For everybody"),
        "withdrawn": _("Taken out of sight"),
    }


def _settings() -> dict[str, str]:
    return {
        "a_browser": _("A browser"),
        "agree": _("Agree"),
        "code": _("Code"),
        "code_needed": _("Type the six digits."),
        "code_sent": _("A code is on its way to {contact}. It is good for ten minutes."),
        "confirm_contact": _("Confirm"),
        "confirm_this": _("Confirm {contact}"),
        "confirmed": _("Confirmed"),
        "contact_added": _("Added: {contact}"),
        "contact_confirmed": _("Confirmed: {contact}"),
        "contact_removed": _("Removed: {contact}"),
        "decline": _("Decline"),
        "here": _("Here"),
        "last_seen": _("Last used {when}"),
        "log_out_all": _("Log out everywhere"),
        "log_out_all_text": _("Every phone and computer is logged out, this one too."),
        "log_out_all_title": _("Log out everywhere?"),
        "now_open": _("Everybody can follow you now."),
        "now_private": _("From now on you decide who follows you."),
        "password_changed": _("Your password is changed. Other devices were logged out."),
        "remove": _("Remove"),
        "remove_contact_text": _("Codes can no longer be sent there."),
        "remove_this": _("Remove {contact}"),
        "this_browser": _("This browser"),
        "unblock": _("Unblock"),
        "unconfirmed": _("Not confirmed"),
    }


def _feed_data() -> dict[str, str]:
    return {
        "decline_text": _(
            "The feed forgets what it learnt about you, for good, and learns nothing more. Your "
            "pages show what is new and what many watch. You can switch it on again; it then "
            "begins with nothing."
        ),
        "decline_title": _("Do without a feed of your own?"),
        "decline_yes": _("Do without"),
        "forget_text": _(
            "Interests, what you watched, and what you were not interested in go for good. It "
            "cannot be undone, not even by us."
        ),
        "forget_title": _("Forget everything?"),
        "forget_yes": _("Forget everything"),
        "learning_paused": _("Paused. What you do now changes nothing."),
        "learning_resumed": _("The feed learns again."),
        "under_age_text": _(
            "The feed forgets what it learnt about you and learns nothing more. Only the operator "
            "can take this back."
        ),
        "under_age_title": _("Are you under 18?"),
        "under_age_yes": _("Yes, I am under 18"),
    }


def _operator() -> dict[str, str]:
    return {
        "cancel_job_reason": _("Cancelled on the queue page."),
        "cancel_job_text": _("{name}: what it stands for fails with it. Try again undoes that."),
        "cancel_job_title": _("Cancel this job?"),
        "cancel_job_yes": _("Cancel the job"),
        "experiment_line": _("Each line needs a name, = and a number."),
        "experiment_stop": _("Stop {name}?"),
        "experiment_stop_yes": _("Stop it"),
        "experiment_why": _("Why"),
        "queue_fresh": _("As of {time}"),
        "remove_runner_text": _("{name} gets no more work, and what it does is given to others."),
        "remove_runner_title": _("Remove this runner?"),
        "remove_runner_yes": _("Remove the runner"),
        "weights_back": _("Set these weights again?"),
        "weights_back_yes": _("Set them"),
    }
