from typing import Optional, TypedDict


class Sent(TypedDict):
    """What would have been sent: the example has no mail server."""

    recipients: int
    subject: str
    characters: int


def send(
    to: list[str],
    subject: str,
    body: str,
    cc: Optional[list[str]] = None,
    bcc: Optional[list[str]] = None,
) -> Sent:
    """Sends a message.

    Args:
        to: E-mail addresses, with or without names: "Ada <ada@acme.example>".
        subject: What it is about.
        body: The text.
        cc: Who else gets it, for all to see.
        bcc: Who else gets it, unseen.
    """
    recipients = [*to, *(cc or []), *(bcc or [])]
    if not recipients:
        raise ValueError("a message needs a recipient")
    return {"recipients": len(recipients), "subject": subject, "characters": len(body)}
