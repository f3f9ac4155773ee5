"""How a check deep inside ends a request."""


class Refusal(Exception):
    """Ends a request with an error reply."""

    def __init__(self, reply):
        super().__init__(reply.status)
        self.reply = reply


def raise_if(reply):
    if reply is not None:
        raise Refusal(reply)
