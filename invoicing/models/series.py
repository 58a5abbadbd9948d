"""Number series: gapless, in order of issue, taken in the issuing transaction (M2)."""

from django.db import models
from django.db.models import Q

from billing.models import LegalEntity
from invoicing.choices import SERIES_KINDS


class NumberSeries(models.Model):
    """The counter of one kind of document of one legal entity.

    `next_sequence` is the number the next document gets; `last_issue_date` the date
    of the last one, so that numbers and dates rise together (M8).
    """

    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, related_name="number_series"
    )
    kind = models.CharField(max_length=12, choices=list(SERIES_KINDS))
    prefix = models.CharField(max_length=20)
    digits = models.PositiveSmallIntegerField(default=6)
    first_sequence = models.PositiveBigIntegerField(default=1)
    next_sequence = models.PositiveBigIntegerField(default=1)
    last_issue_date = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "kind"],
                name="series_once_a_kind",
                violation_error_message="The legal entity has a series of that kind.",
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "prefix"], name="series_prefix_once"
            ),
            models.CheckConstraint(
                condition=Q(next_sequence__gte=models.F("first_sequence")),
                name="series_counts_up_from_its_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.legal_entity}"
