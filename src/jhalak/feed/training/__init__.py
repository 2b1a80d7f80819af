"""Training on the event log: the artefacts that `jhalak.feed` may be given, and their gate.

    reader = Reader(); reader.read(log)                  -> answers
    propose(reader.answers(), in_force, after=...)       -> artefact, manifest, verdict

Pure, as the feed is: bytes of the log in, bytes out. The same log, code, settings and seed give the
same bytes. Who promotes and takes back stands in `jhalak.viewing.training`.
"""

from jhalak.feed.training.answers import Answers, Reader
from jhalak.feed.training.gate import Verdict
from jhalak.feed.training.places import Settings
from jhalak.feed.training.proposal import FEWEST, KIND, NoTorch, Proposal, TooFew, propose

__all__ = [
    "FEWEST",
    "KIND",
    "Answers",
    "NoTorch",
    "Proposal",
    "Reader",
    "Settings",
    "TooFew",
    "Verdict",
    "propose",
]
