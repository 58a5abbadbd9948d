"""What the movements of a statement are called, in each language of the papers."""

from decimal import Decimal

from invoicing.domain.statement import Movement, MovementKind
from invoicing.services.wording import Writer, plain


def movement_text(write: Writer, move: Movement) -> str:
    """Return what moved, with the number or reference of its document."""
    number = plain(move.document.name)
    match move.kind:
        case MovementKind.INVOICE:
            return write.say("Invoice {number}", number=number)
        case MovementKind.CREDIT_NOTE:
            return write.say("Credit note {number}", number=number)
        case MovementKind.REFUND:
            return write.say("Refund of credit note {number}", number=number)
        case MovementKind.CREDIT_NOTE_VOIDED:
            return write.say("Credit note {number} voided", number=number)
        case MovementKind.PAYMENT:
            return _payment(write, number)
        case MovementKind.PAYMENT_TAKEN_BACK:
            return write.say("{payment}, taken back", payment=_payment(write, number))
        case MovementKind.BALANCE_USED:
            return write.say("Credit balance used for {number}", number=number)
        case MovementKind.BALANCE_USE_UNDONE:
            return write.say(
                "Credit balance used for {number}, taken back", number=number
            )
        case MovementKind.CREDIT_TURNED:
            return write.say("Credit note {number} lowers what is due", number=number)


def movement_note(write: Writer, move: Movement) -> str:
    """Return what else there is to say: when it came, and where the money went."""
    said = []
    received = move.document.received_on
    if received is not None and received != move.on:
        said.append(write.say("received {day}", day=write.day(received)))
    if move.held and move.due:
        said.append(_both(write, move))
    elif move.held and move.kind is not MovementKind.REFUND:
        amount = write.money(abs(move.held))
        said.append(
            write.say("{amount} to the credit balance", amount=amount)
            if move.held > 0
            else write.say("{amount} from the credit balance", amount=amount)
        )
    return ", ".join(said)


def _both(write: Writer, move: Movement) -> str:
    """Say how much of it changed what is due, and how much the credit balance."""
    due, held = write.money(abs(move.due)), write.money(abs(move.held))
    match move.due < 0, move.held < 0:
        case True, False:
            return write.say(
                "{due} off what was due, {held} to the credit balance",
                due=due,
                held=held,
            )
        case False, True:
            return write.say(
                "{due} due again, {held} from the credit balance", due=due, held=held
            )
        case True, True:
            return write.say("{amount} from the credit balance", amount=held)
    return write.say("{amount} to the credit balance", amount=held)


def _payment(write: Writer, reference: str) -> str:
    if reference:
        return write.say("Payment {reference}", reference=reference)
    return write.say("Payment")


def age_labels(write: Writer) -> tuple[str, ...]:
    """Return what the buckets of `AGES` are called, in their order."""
    return (
        write.say("Not due"),
        write.say("1 to 30 days"),
        write.say("31 to 60 days"),
        write.say("61 to 90 days"),
        write.say("Over 90 days"),
    )


def signed(amount: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return an amount as what raises the balance, or as what lowers it."""
    if amount > 0:
        return amount, None
    return None, -amount if amount else None
