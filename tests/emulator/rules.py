"""What Secret Manager accepts as names, labels and annotations."""

import re
import unicodedata

from . import errors

SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
ANNOTATION_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")

MAX_LABELS = 64
MAX_LABEL_CHARACTERS = 63
MAX_LABEL_BYTES = 128
MAX_ANNOTATION_BYTES = 16 * 1024
MAX_PAYLOAD = 65536

_KEY_PATTERN = r"[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}"
_VALUE_PATTERN = r"[\p{Ll}\p{Lo}\p{N}_-]{0,63}"


def check_secret_id(secret_id):
    """Return an error reply, or None if the id is acceptable."""
    if SECRET_ID.fullmatch(secret_id):
        return None
    return errors.invalid_argument(
        f"Resource ID [{secret_id}] is not in a valid format.")


def check_labels(labels):
    """Return an error reply, or None if all labels are acceptable."""
    if len(labels) > MAX_LABELS:
        return errors.invalid_argument(
            f'Invalid field "labels"; at most {MAX_LABELS} labels are allowed, got '
            f"{len(labels)}")
    for key, value in labels.items():
        problem = (_label_problem("labels", "key", key, _KEY_PATTERN)
                   or _label_problem(f"labels.{key}", "value", value, _VALUE_PATTERN))
        if problem:
            return errors.invalid_argument(problem)
    return None


def check_annotations(annotations):
    size = 0
    for key, value in annotations.items():
        if not ANNOTATION_KEY.fullmatch(key):
            return errors.invalid_argument(
                f'Invalid field "annotations"; key "{key}" is not in a valid format.')
        size += len(key.encode()) + len(value.encode())
    if size >= MAX_ANNOTATION_BYTES:
        return errors.invalid_argument(
            'Invalid field "annotations"; total size exceeds 16 KiB.')
    return None


def _label_problem(field, part, text, pattern):
    is_key = part == "key"
    head = (f'Invalid field "{field}"; {part} "{text}" does not conform to regular '
            f'expression "{pattern}"; ')
    if is_key and not text:
        return head + "it is empty"
    for position, character in enumerate(text):
        if not _allowed(character, first_of_key=is_key and position == 0):
            return head + (f'character "{character}" at position {position} is not '
                           "allowed")
    too_long = (len(text) > MAX_LABEL_CHARACTERS
                or len(text.encode()) > MAX_LABEL_BYTES)
    return head + "it is too long" if too_long else None


def _allowed(character, first_of_key):
    category = unicodedata.category(character)
    if category in ("Ll", "Lo"):
        return True
    return not first_of_key and (category.startswith("N") or character in "_-")
