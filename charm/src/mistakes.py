"""What only a person can mend."""


class Mistakes(Exception):
    """Everything that is wrong, a sentence each: what, and what to do."""

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        super().__init__("; ".join(sentences))
