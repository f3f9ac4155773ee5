"""What somebody may have meant who wrote a name that does not exist."""

import difflib


def near(name, names):
    """Names that may have been meant, as the end of a message; all if none is like it."""
    names = sorted(set(names))
    meant = difflib.get_close_matches(str(name), names, 3, 0.5)
    meant += [other for other in names
              if str(name).lower() == other.lower() and other not in meant]
    if meant:
        return f"; did you mean {' or '.join(meant)}?"
    return f"; there are: {', '.join(names)}"
