"""Every status in the profiles domain, and every move between them."""

from django.db import models

from restartix.kernel.lifecycle import Lifecycle


class ConsentStatus(models.TextChoices):
    """A consent holds until it is withdrawn; it never comes back to life."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


CONSENT = Lifecycle(ConsentStatus, {ConsentStatus.ACTIVE: {ConsentStatus.WITHDRAWN}, ConsentStatus.WITHDRAWN: set()})
