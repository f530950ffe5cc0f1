"""Rules of an llguidance grammar, made and named one after another."""

from collections.abc import Sequence


class RuleBook:
    """`made` are the rules so far, a line each."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def named(self, rule: str) -> str:
        """The name of a new rule that is this."""
        name = f"rule_{len(self.made)}"
        self.made.append(f"{name}: {rule}")
        return name

    def members(self, members: Sequence[tuple[str, bool]], separator: str) -> str:
        """A rule of these members in this order; each says whether it must be there."""
        first = rest = self.named('""')
        for member, is_required in reversed(members):
            with_first, with_rest = f"{member} {rest}", f"{separator} {member} {rest}"
            first = self.named(with_first if is_required else f"{with_first} | {first}")
            rest = self.named(with_rest if is_required else f"{with_rest} | {rest}")
        return first
