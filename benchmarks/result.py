"""What a benchmark tells, and the budgets it is held against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """A bound of a figure: at least, or at most."""

    bound: float
    at_most: bool = False

    def met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def shown(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {shown(self.bound)}"


@dataclass(frozen=True)
class Result:
    """One row of the table.

    unit    of `value`; of the budget as well
    floor   what the same work costs without us, measured in the same run
    errors  answers that were not as asked: any is a failure
    """

    work: str
    value: float
    unit: str
    budget: Budget | None = None
    detail: str = ""
    floor: str = ""
    errors: int = 0

    @property
    def met(self) -> bool:
        return not self.errors and (self.budget is None or self.budget.met(self.value))


def at_least(bound: float) -> Budget:
    return Budget(bound)


def at_most(bound: float) -> Budget:
    return Budget(bound, at_most=True)


def shown(value: float) -> str:
    """Returns a figure with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 20 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"
