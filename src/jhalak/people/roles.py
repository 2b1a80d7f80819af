"""Who may do what: one table from permission to the roles that hold it.

A role is what the operator entrusts to a person; a permission is what an action asks for. Actions
ask for permissions and never for roles, so that this table is the only place to read or change.
"""

from __future__ import annotations

import enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    VIEWER = "viewer", _("Viewer")
    CREATOR = "creator", _("Creator")
    MODERATOR = "moderator", _("Moderator")
    OFFICER = "officer", _("Grievance officer")
    OPERATOR = "operator", _("Operator")
    AUDITOR = "auditor", _("Auditor")


STAFF = frozenset({Role.MODERATOR, Role.OFFICER, Role.OPERATOR, Role.AUDITOR})
"""Those with an office: where they log in from is on record."""


class Permission(enum.Enum):
    UPLOAD = "upload"
    WITHDRAW = "withdraw"
    SEE_WITHDRAWN = "see_withdrawn"
    REVEAL_CONTACT = "reveal_contact"
    READ_AUDIT = "read_audit"
    READ_OPERATIONS = "read_operations"
    MANAGE_JOBS = "manage_jobs"
    SET_ROLES = "set_roles"
    TUNE_FEED = "tune_feed"


HOLDERS: dict[Permission, frozenset[Role]] = {
    Permission.UPLOAD: frozenset({Role.CREATOR, Role.MODERATOR, Role.OFFICER, Role.OPERATOR}),
    Permission.WITHDRAW: frozenset({Role.MODERATOR, Role.OFFICER}),
    Permission.SEE_WITHDRAWN: frozenset({Role.MODERATOR, Role.OFFICER}),
    Permission.REVEAL_CONTACT: frozenset({Role.OFFICER}),
    Permission.READ_AUDIT: frozenset({Role.OFFICER, Role.OPERATOR, Role.AUDITOR}),
    Permission.READ_OPERATIONS: frozenset({Role.OPERATOR}),
    Permission.MANAGE_JOBS: frozenset({Role.OPERATOR}),
    Permission.SET_ROLES: frozenset({Role.OPERATOR}),
    Permission.TUNE_FEED: frozenset({Role.OPERATOR}),
}
