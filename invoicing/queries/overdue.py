"""What is overdue: open past its due date, on the date where its seller is."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from django.db.models import Q, QuerySet

from billing.models import LegalEntity
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice


def time_zones() -> dict[int, str]:
    """Return the time zone of each legal entity, by id."""
    return dict(LegalEntity.objects.order_by("pk").values_list("pk", "time_zone"))


def overdue(invoices: QuerySet[Invoice], days: Mapping[int, date]) -> QuerySet[Invoice]:
    """Return the invoices that are overdue; `days` has today of each legal entity.

    Where all are at the same date, which is most of the day, it is one comparison.
    """
    entities = defaultdict[date, list[int]](list)
    for entity_id, day in days.items():
        entities[day].append(entity_id)
    late = Q(pk__in=[])
    for day, ids in entities.items():
        past = Q(due_date__lt=day)
        late |= past if len(entities) == 1 else past & Q(legal_entity__in=ids)
    return invoices.filter(late, status=InvoiceStatus.OPEN)
