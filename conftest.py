"""Reports that can be sent: xdist's workers write UTF-8, and a failure's text may hold what that
has no form for. What tests recorded of the real clips, as a table at the end. And no property fails
because a machine is slow.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Lone surrogates, which hypothesis likes to try, become \\udXXX in the report."""
    report = yield
    if report.longrepr is not None and not isinstance(report.longrepr, tuple):
        text = str(report.longrepr)
        if _printable(text) != text:
            report.longrepr = _printable(text)
    report.sections = [(name, _printable(text)) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each line that a test recorded as its property "clip", whichever process it ran in."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    lines = [str(text) for r in reports for name, text in r.user_properties if name == "clip"]
    if lines:
        terminalreporter.section("real clips: SSIM, colour difference, loudness in LUFS")
        terminalreporter.write_line("\n".join(sorted(lines)))
