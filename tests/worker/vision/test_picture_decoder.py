"""A process decodes: whatever happens to it is one request's error, and the next picture is decoded."""

import os
import signal
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import psutil
import pytest
from msgspec import structs

from inference.core.errors import InternalError, InvalidValue, Unavailable
from inference.core.requests import Picture
from inference.worker.vision.picture_decoder import PictureDecoder
from tests import start_faults
from tests.nightly import of_each_kind
from tests.start_faults import Fault
from tests.tiny_vision import drawn, picture

IMAGE = drawn(31, 17)
WHOLE = picture(IMAGE)


@pytest.fixture
def decoder() -> Any:
    decoder = PictureDecoder()
    yield decoder
    decoder.close()


def pid_of(decoder: PictureDecoder) -> int:
    assert (pid := decoder.pid)
    return pid


def is_whole(decoder: PictureDecoder) -> bool:
    return np.array_equal(np.asarray(decoder.decode(WHOLE, "p")), np.asarray(IMAGE))


def test_pictures_are_decoded_by_one_process_which_ends_with_its_decoder(decoder: PictureDecoder) -> None:
    assert is_whole(decoder)
    pid = pid_of(decoder)
    assert is_whole(decoder) and pid_of(decoder) == pid
    decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_broken_picture_is_named_and_the_process_goes_on(decoder: PictureDecoder) -> None:
    assert is_whole(decoder)
    pid = pid_of(decoder)
    with pytest.raises(InvalidValue, match="incomplete or damaged") as refused:
        decoder.decode(structs.replace(WHOLE, data=WHOLE.data[:-40]), "messages.3.content")
    assert refused.value.param == "messages.3.content"
    assert is_whole(decoder) and pid_of(decoder) == pid


def test_a_process_that_was_killed_is_replaced(decoder: PictureDecoder) -> None:
    assert is_whole(decoder)
    process = psutil.Process(pid_of(decoder))
    process.kill()
    process.wait(20)
    assert is_whole(decoder)


@pytest.mark.parametrize("fault", of_each_kind(["exits", "is killed"], ["exits"]))
def test_a_picture_is_not_blamed_for_a_process_that_does_not_start(
    decoder: PictureDecoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    module = "inference.worker.vision.decoding_process"
    start_faults.begin(tmp_path, monkeypatch, fault, module=module, imported="PIL", last=3)
    with pytest.raises(InternalError, match="could not be prepared"):
        decoder.decode(WHOLE, "p")
    assert is_whole(decoder)  # by the second of two starts


def test_one_that_the_system_cannot_start_is_no_fault_of_the_picture(
    decoder: PictureDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        start_faults.without_program(patch)
        with pytest.raises(Unavailable, match="cannot start"):
            decoder.decode(WHOLE, "p")
    assert is_whole(decoder)


def test_one_that_dies_at_a_picture_costs_this_picture(decoder: PictureDecoder) -> None:
    assert is_whole(decoder)
    pid = pid_of(decoder)
    os.kill(pid, signal.SIGSTOP)  # it will be killed while the picture waits
    Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(InvalidValue, match="too much time or memory"):
        decoder.decode(WHOLE, "p")
    assert is_whole(decoder) and pid_of(decoder) != pid


def test_a_picture_that_is_larger_than_announced_is_refused(
    decoder: PictureDecoder,
) -> None:
    large = picture(drawn(6000, 6000))
    lying = structs.replace(large, width=10, height=10)  # the reader refuses it before it is decoded
    with pytest.raises(InvalidValue, match="not as large"):
        decoder.decode(lying, "p")
    assert decoder.decode(large, "p").size == (6000, 6000)


def test_a_decoder_that_was_never_used_has_nothing_to_close() -> None:
    PictureDecoder().close()


def test_no_data_is_no_picture(decoder: PictureDecoder) -> None:
    with pytest.raises(InvalidValue):
        decoder.decode(Picture(data=b"", media_type="image/png", width=1, height=1), "p")
