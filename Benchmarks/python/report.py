"""Rows of the result, and what is made of many numbers."""

import json
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


class Report:
    """{case, subject, metric, unit, value}, and where there is a goal the ratio to the baseline: above 1 is better."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def add(
        self, case: str, subject: str, metric: str, unit: str, value: float, ratio: float | None = None, baseline: str = "",
    ) -> None:
        row = {"case": case, "subject": subject, "metric": metric, "unit": unit, "value": rounded(value)}
        if ratio is not None:
            row |= {"ratio": rounded(ratio), "baseline": baseline}
        self.rows.append(row)

    def add_distribution(self, case: str, subject: str, metric: str, unit: str, values: Sequence[float]) -> None:
        for share, value in [
            ("p50", percentile(values, 50)), ("p90", percentile(values, 90)), ("p99", percentile(values, 99)),
            ("max", max(values)),
        ]:
            self.add(case, subject, f"{metric}, {share}", unit, value)

    def write(self, path: str) -> None:
        with open(path, "w") as file:
            json.dump(self.rows, file, indent=1)
            file.write("\n")


def rounded(value: float) -> float:
    """To three digits, and never less than whole where it is large."""
    return round(value) if abs(value) >= 100 else round(value, 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3)
