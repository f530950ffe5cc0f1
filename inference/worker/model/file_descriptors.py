"""The limit of open files, which mlx-lm sets when it is imported."""

import resource

_WANTED = 2048


def keep_hard_limit() -> None:
    """Make the import of mlx-lm work with a low hard limit, and leave that limit unchanged.

    `mlx_lm.utils` sets a soft limit of 2048 and a hard one of 4096 on import. Only root may raise a hard
    limit, so below 4096 (`ulimit -n 1024`, systemd's LimitNOFILE, docker's --ulimit) the import fails.
    """
    original = resource.setrlimit
    if getattr(original, "keeps_hard_limit", False):
        return

    def within(what: int, limits: tuple[int, int], /) -> None:
        if what == resource.RLIMIT_NOFILE:
            limits = _within_hard_limit(limits)
        original(what, limits)

    within.keeps_hard_limit = True  # type: ignore[attr-defined]
    resource.setrlimit = within
    original(resource.RLIMIT_NOFILE, _within_hard_limit((_WANTED, 0)))


def _within_hard_limit(wanted: tuple[int, int]) -> tuple[int, int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return max(soft, wanted[0]), hard
    return (soft if soft == resource.RLIM_INFINITY else min(hard, max(soft, wanted[0]))), hard
