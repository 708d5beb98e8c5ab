"""A secret's text."""


class Secret:
    """A text without a printable form: neither a log nor an error nor a status can hold it by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def expose(self) -> str:
        """Give the text, for the one place that writes it into its file."""
        return self._text

    def __repr__(self) -> str:
        """Say that there is one."""
        return "Secret(..)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Compare the texts."""
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        """Hash the text."""
        return hash(self._text)

    def __reduce__(self) -> str | tuple[object, ...]:
        """Refuse to be stored."""
        raise TypeError("a secret is not stored")
