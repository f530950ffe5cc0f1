"""Makes MLX call a BLAS whose routines have other names, without a compiler.

MLX's Linux wheel is linked to `cblas_sgemm` and some routines of LAPACK. The wheel `scipy-openblas32` has the
same routines, with the same arguments, as `scipy_cblas_sgemm` and so on. The dynamic linker cannot put them
in the place of MLX's. `bind` does what the linker would do: it writes their addresses into the table through
which MLX calls routines of other libraries (the global offset table; System V ABI, chapter 5, "Dynamic
Linking").
"""

import ctypes
import mmap
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_RTLD_DI_LINKMAP = 2
_PLTRELSZ, _STRTAB, _SYMTAB, _RELA, _RELASZ, _JMPREL = 2, 5, 6, 7, 8, 23  # tags of the dynamic section
# Relocations that store the address of a symbol: R_*_GLOB_DAT and R_*_JUMP_SLOT.
_ADDRESS_RELOCATIONS = {"x86_64": {6, 7}, "aarch64": {1025, 1026}}


class CannotBind(Exception):
    """The routines cannot be bound on this machine, or not to this version of MLX; the message says why."""


class _LinkMap(ctypes.Structure):
    _fields_ = [("l_addr", ctypes.c_uint64), ("l_name", ctypes.c_char_p), ("l_ld", ctypes.c_uint64)]


class _Dynamic(ctypes.Structure):
    _fields_ = [("d_tag", ctypes.c_int64), ("d_val", ctypes.c_uint64)]


class _Relocation(ctypes.Structure):
    _fields_ = [("r_offset", ctypes.c_uint64), ("r_info", ctypes.c_uint64), ("r_addend", ctypes.c_int64)]


class _Symbol(ctypes.Structure):
    _fields_ = [
        ("st_name", ctypes.c_uint32),
        ("st_info", ctypes.c_uint8),
        ("st_other", ctypes.c_uint8),
        ("st_shndx", ctypes.c_uint16),
        ("st_value", ctypes.c_uint64),
        ("st_size", ctypes.c_uint64),
    ]


@dataclass(frozen=True)
class _Slot:
    """An entry of a global offset table: the imported symbol, and where its address is stored."""

    symbol: str
    place: int


@dataclass(frozen=True)
class Binding:
    """The slots that were changed, each with the address that it had."""

    before: dict[_Slot, int]

    @property
    def symbols(self) -> set[str]:
        return {slot.symbol for slot in self.before}

    def undo(self) -> None:
        """Have the caller call its own routines again."""
        for slot, address in self.before.items():
            _write(slot.place, address)


def check_complete(path: Path) -> None:
    """Raise CannotBind if a library ends before its segments do: to load it would end the process (SIGBUS).

    A name without a folder, which the dynamic linker looks for, is not checked.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        header = file.read(64)
        if len(header) < 64 or header[:5] != b"\x7fELF\x02":
            raise CannotBind("it is no library of 64 bits")
        (place,), (size, count) = struct.unpack_from("<Q", header, 32), struct.unpack_from("<HH", header, 54)
        file.seek(place)
        segments = file.read(size * count)
    if len(segments) < size * count:
        raise CannotBind("the file is cut off")
    for start in range(0, len(segments), size):
        offset, _, _, in_file = struct.unpack_from("<4Q", segments, start + 8)
        if offset + in_file > path.stat().st_size:
            raise CannotBind("the file is cut off")


def mlx_library() -> ctypes.CDLL:
    """MLX's library, loaded if it is not yet; raises CannotBind."""
    package = find_spec("mlx")
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder, "lib", "libmlx.so")
        if not path.is_file():
            continue
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            raise CannotBind(f"{path.name} cannot be loaded: {error}") from None
    raise CannotBind("libmlx.so was not found")


def bind(blas: ctypes.CDLL, prefix: str, caller: ctypes.CDLL, required: str = "cblas_sgemm") -> Binding:
    """Make `caller` call the routines of `blas` that are named like its own after `prefix`.

    1. Find the slots of the routines that `caller` imports.
    2. Look up each of them in `blas`; what it lacks keeps its routine.
    3. Write the addresses.

    Raises CannotBind if `required` is not imported or not in `blas`, or if the table cannot be changed. Then
    nothing is changed.
    """
    routines = {slot: routine for slot in _slots(caller) if (routine := _address(blas, prefix + slot.symbol))}
    if required not in {slot.symbol for slot in routines}:
        raise CannotBind(f"no call of {required} can be bound to {prefix}{required}")
    binding = Binding({})
    try:
        for slot, routine in routines.items():
            binding.before[slot] = _write(slot.place, routine)
    except BaseException:
        binding.undo()
        raise
    return binding


def _slots(library: ctypes.CDLL) -> Iterator[_Slot]:
    """The slots of all symbols that `library` imports."""
    if platform.machine() not in _ADDRESS_RELOCATIONS or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise CannotBind(f"unknown relocations on {platform.machine()}")
    kinds = _ADDRESS_RELOCATIONS[platform.machine()]
    base, tables = _dynamic_section(library)
    if _SYMTAB not in tables or _STRTAB not in tables:
        raise CannotBind("the library has no dynamic symbols")
    for start, size in ((_JMPREL, _PLTRELSZ), (_RELA, _RELASZ)):
        if start not in tables or size not in tables:
            continue
        for place in range(tables[start], tables[start] + tables[size], ctypes.sizeof(_Relocation)):
            relocation = _Relocation.from_address(place)
            if relocation.r_info & 0xFFFFFFFF not in kinds:
                continue
            number = relocation.r_info >> 32
            symbol = _Symbol.from_address(tables[_SYMTAB] + number * ctypes.sizeof(_Symbol))
            if symbol.st_shndx == 0:  # undefined here: imported
                name = ctypes.string_at(tables[_STRTAB] + symbol.st_name).decode()
                yield _Slot(name, base + relocation.r_offset)


def _dynamic_section(library: ctypes.CDLL) -> tuple[int, dict[int, int]]:
    """The address at which `library` is loaded, and its dynamic section by tag with absolute addresses."""
    dlinfo = getattr(ctypes.CDLL(None), "dlinfo", None)
    link_map = ctypes.POINTER(_LinkMap)()
    if dlinfo is None or dlinfo(ctypes.c_void_p(library._handle), _RTLD_DI_LINKMAP, ctypes.byref(link_map)):
        raise CannotBind("the dynamic linker does not say where it loaded the library")
    base, place = link_map.contents.l_addr, link_map.contents.l_ld
    tables: dict[int, int] = {}
    while (entry := _Dynamic.from_address(place)).d_tag:
        is_relative = entry.d_tag in {_STRTAB, _SYMTAB, _RELA, _JMPREL} and entry.d_val < base
        tables.setdefault(entry.d_tag, entry.d_val + base * is_relative)  # glibc has added the base already
        place += ctypes.sizeof(_Dynamic)
    return base, tables


def _address(library: ctypes.CDLL, name: str) -> int:
    """The address of a routine, 0 if the library has none of this name."""
    try:
        return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
    except AttributeError:
        return 0


def _write(place: int, address: int) -> int:
    """Store an address at `place`; returns the one that was there.

    The table is read-only if MLX is linked with `-z now`; then its page is made writable for the write alone.
    """
    slot = ctypes.c_uint64.from_address(place)
    before = slot.value
    if _is_writable(place):
        slot.value = address
        return before
    page = place & -mmap.PAGESIZE
    _protect(page, mmap.PROT_READ | mmap.PROT_WRITE)
    slot.value = address
    _protect(page, mmap.PROT_READ)
    return before


def _protect(page: int, protection: int) -> None:
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    if mprotect(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), protection):
        raise CannotBind(f"the table of routines cannot be changed (error {ctypes.get_errno()})")


def _is_writable(place: int) -> bool:
    for line in Path("/proc/self/maps").read_text().splitlines():
        area, permissions, *_ = line.split()
        start, end = (int(part, 16) for part in area.split("-"))
        if start <= place < end:
            return "w" in permissions
    return False
