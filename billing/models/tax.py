"""Tax rates whose percent changes on given days."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class TaxRate(models.Model):
    """A kind of tax, for example the standard rate of a country."""

    name = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class TaxRateStep(models.Model):
    """The percent of a tax rate from a day on, until its next step."""

    tax_rate = models.ForeignKey(
        TaxRate, on_delete=models.PROTECT, related_name="steps"
    )
    valid_from = models.DateField()
    percent = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tax_rate", "valid_from"],
                name="tax_step_one_a_day",
                violation_error_message="This rate has a step on that day already.",
            ),
            models.CheckConstraint(
                condition=Q(percent__range=(0, 100)),
                name="tax_percent_between_0_and_100",
                violation_error_message="A tax rate lies between 0 and 100 percent.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % from {self.valid_from}"
