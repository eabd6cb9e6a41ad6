"""What record-info and the callback say about a task, field by field."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from filmgate.dialects.veo3.render import compose_callback, render_callback, render_enlarged, render_record
from filmgate.domain.forecast import Outlook
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution
from filmgate.domain.task import Failure, Role, Status, Task
from filmgate.http.edition import Edition
from filmgate.storage.links import Links

from .tasks import CREATED_MS, ENDED_MS, ID, ORIGIN, SOURCE_ID, film, task

LINKS = Links([b"a signing key"])
DEFAULT = Edition()
UNKNOWN = Outlook()
URL = LINKS.link("https://films.example.org", f"{ID}/1/result.mp4", ENDED_MS + 1000, f"{ID}.mp4")

PARAMS = {
    "prompt": "a dog in a park",
    "model": "veo3_fast",
    "generationType": "TEXT_2_VIDEO",
    "imageUrls": [],
    "aspectRatio": "16:9",
    "aspect_ratio": "16:9",
    "resolution": "720p",
    "duration": 8,
    "seeds": 12345,
    "waterMark": None,
    "enableTranslation": True,
    "enableFallback": False,
    "callBackUrl": None,
}


def record(made: Task, edition: Edition = DEFAULT, outlook: Outlook = UNKNOWN) -> dict[str, Any]:
    told = render_record(made, edition, LINKS, outlook)
    assert json.loads(json.dumps(told)) == told  # plain JSON values all through
    return told


def callback(made: Task, edition: Edition = DEFAULT) -> dict[str, Any]:
    return render_callback(made, edition, LINKS)


# ---------------------------------------------------------------- the record --------------------------------------


def test_just_after_creation() -> None:
    told = record(task())
    assert told.pop("eventsUrl").startswith(f"https://films.example.org/api/v1/veo/events?taskId={ID}&expires=")
    assert json.loads(told.pop("paramJson")) == PARAMS
    assert told == {
        "taskId": ID,
        "successFlag": 0,
        "status": 0,
        "state": "waiting",
        "response": None,
        "resultJson": "",
        "fallbackFlag": False,
        "errorCode": None,
        "errorMessage": "",
        "failCode": None,
        "failMsg": None,
        "createTime": CREATED_MS,
        "completeTime": None,
        "creditsConsumed": 0,
        "progress": 0.0,
        "stage": "queued",
        "queuePosition": None,
        "estimatedFinishTime": None,
    }


def test_the_outlook_is_told_in_the_form_of_the_edition() -> None:
    told = record(task(), outlook=Outlook(3, ENDED_MS))
    assert (told["queuePosition"], told["estimatedFinishTime"]) == (3, ENDED_MS)
    told = record(task(), Edition(times="iso"), Outlook(None, ENDED_MS))
    assert told["queuePosition"] is None
    assert told["estimatedFinishTime"].endswith("Z")


@pytest.mark.parametrize("status", [Status.RUNNING, Status.WAITING])
def test_under_way(status: Status) -> None:
    told = record(task(status, stage="drawing frame 12 of 192", progress=0.25))
    assert (told["successFlag"], told["status"], told["state"]) == (0, 0, "generating")
    assert (told["progress"], told["stage"]) == (0.25, "drawing frame 12 of 192")
    assert "resultUrls" not in told


def test_after_success() -> None:
    told = record(task(Status.SUCCEEDED, stage="done", progress=0.9))
    assert json.loads(told.pop("paramJson")) == PARAMS
    assert json.loads(told.pop("resultUrls")) == [URL]
    assert json.loads(told.pop("resultJson")) == {"resultUrls": [URL]}
    assert told.pop("eventsUrl")
    assert told == {
        "taskId": ID,
        "successFlag": 1,
        "status": 1,
        "state": "success",
        "response": {
            "taskId": ID,
            "resolution": "720p",
            "originUrls": None,
            "resultUrls": [URL],
            "fullResultUrls": None,
            "hasAudioList": [True],
            "seeds": [12345],
        },
        "resultUrl": URL,
        "videoUrl": URL,
        "fallbackFlag": False,
        "errorCode": None,
        "errorMessage": "",
        "failCode": None,
        "failMsg": None,
        "createTime": CREATED_MS,
        "completeTime": ENDED_MS,
        "creditsConsumed": 60,
        "progress": 1.0,
        "stage": "done",
        "queuePosition": None,
        "estimatedFinishTime": None,
    }


@pytest.mark.parametrize(("status", "flag"), [(Status.REJECTED, 2), (Status.FAILED, 3)])
def test_after_failure(status: Status, flag: int) -> None:
    told = record(task(status, failure=Failure("engine_failed", "The storm took the boat.")))
    assert (told["successFlag"], told["status"], told["state"]) == (flag, flag, "fail")
    assert told["errorCode"] == told["failCode"] == 501
    assert told["errorMessage"] == told["failMsg"] == "The storm took the boat."
    assert (told["response"], told["resultJson"], told["creditsConsumed"]) == (None, "", 0)
    assert told["completeTime"] == ENDED_MS
    assert not {"resultUrls", "resultUrl", "videoUrl"} & set(told)


def test_an_upright_film_has_origin_urls() -> None:
    told = record(task(Status.SUCCEEDED, aspect_ratio=AspectRatio.PORTRAIT))
    assert told["response"]["originUrls"] == [URL]
    assert json.loads(told["paramJson"])["aspectRatio"] == "9:16"


def test_the_original_is_told_where_it_was_kept() -> None:
    original = replace(film(1280, 720), role=Role.ORIGIN, key=f"{ID}/1/origin.mp4")
    told = record(task(Status.SUCCEEDED, aspect_ratio=AspectRatio.PORTRAIT, films=(film(720, 1280), original)))
    assert [url.split("/")[-2] for url in told["response"]["originUrls"]] == ["origin.mp4"]
    assert told["response"]["resultUrls"] == [URL]


@pytest.mark.parametrize(("size", "ratio"), [((720, 1280), "9:16"), ((1280, 720), "16:9")])
def test_auto_is_told_as_what_it_became(size: tuple[int, int], ratio: str) -> None:
    told = record(task(Status.SUCCEEDED, aspect_ratio=AspectRatio.AUTO, films=(film(*size),)))
    assert json.loads(told["paramJson"])["aspect_ratio"] == ratio
    assert (told["response"]["originUrls"] is None) == (ratio == "16:9")


@pytest.mark.parametrize(
    ("size", "resolution"), [((1920, 1080), "1080p"), ((2160, 3840), "4k"), ((1280, 720), "720p"), ((64, 36), "4k")]
)
def test_the_resolution_is_the_film_s_own(size: tuple[int, int], resolution: str) -> None:
    told = record(task(Status.SUCCEEDED, resolution=Resolution.K4, films=(film(*size),)))
    assert told["response"]["resolution"] == resolution


def test_lists_are_as_long_as_the_list_of_films() -> None:
    told = record(task(Status.SUCCEEDED, films=(film(), film(number=2, has_audio=False))))["response"]
    assert told["hasAudioList"] == [True, False]
    assert told["seeds"] == [12345, 12345]
    assert [url.rpartition("/")[2] for url in told["resultUrls"]] == [f"{ID}-1.mp4", f"{ID}-2.mp4"]


def test_the_order_is_told_as_it_took_effect() -> None:
    images = ("https://images.example.org/1.png",)
    made = task(mode=Mode.REFERENCE, images=images, watermark="MyBrand", translate=False, fallback=True, seconds=4)
    told = json.loads(record(made)["paramJson"])
    assert told == {
        **PARAMS,
        "generationType": "REFERENCE_2_VIDEO",
        "imageUrls": list(images),
        "waterMark": "MyBrand",
        "enableTranslation": False,
        "enableFallback": True,
        "duration": 4,
    }


@pytest.mark.parametrize(
    ("switch", "form"), [("json_string", json.dumps([URL], separators=(",", ":"))), ("array", [URL]), ("none", None)]
)
def test_the_switch_of_the_top_level_list(switch: str, form: object) -> None:
    told = record(task(Status.SUCCEEDED), Edition(top_level_result_urls=switch))
    assert told.get("resultUrls") == form
    assert told["resultUrl"] == told["videoUrl"] == URL


def test_the_switch_of_the_times() -> None:
    text = record(task(Status.SUCCEEDED), Edition(times="string"))
    assert (text["createTime"], text["completeTime"]) == ("2026-05-28 20:26:40", "2026-05-28 20:27:41")
    iso = record(task(Status.SUCCEEDED), Edition(times="iso"))["createTime"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", iso)
    assert datetime.fromisoformat(iso) == datetime.fromtimestamp(CREATED_MS / 1000, UTC)
    assert record(task(), Edition(times="iso"))["completeTime"] is None


# ---------------------------------------------------------------- of films from films ----------------------------

POSTER_URL = LINKS.link("https://films.example.org", f"{ID}/1/poster.jpg", ENDED_MS + 1000, f"{ID}.jpg")
FULL_URL = LINKS.link("https://films.example.org", f"{ID}/1/full.mp4", ENDED_MS + 1000, f"{ID}-full.mp4")
MEDIA_ID = hashlib.sha256(f"{ID}/1/result.mp4".encode()).hexdigest()[:32]


def extended(status: Status = Status.SUCCEEDED) -> Task:
    full = replace(film(), role=Role.FULL, key=f"{ID}/1/full.mp4", seconds=16.0)
    return task(status, films=(film(), full), kind=Kind.EXTEND, source_id=SOURCE_ID)


def enlarged(kind: Kind = Kind.UPGRADE_4K, **fields: Any) -> Task:
    size = (3840, 2160) if kind is Kind.UPGRADE_4K else (1920, 1080)
    return task(Status.SUCCEEDED, films=(film(*size),), kind=kind, source_id=SOURCE_ID, **fields)


def test_an_extension_has_the_whole_film_too() -> None:
    told = record(extended())
    assert told["response"]["resultUrls"] == [URL]
    assert told["response"]["fullResultUrls"] == [FULL_URL]
    assert json.loads(told["paramJson"]) == {**PARAMS, "taskId": SOURCE_ID, "index": 0}


def test_a_1080p_version_is_told_as_any_film() -> None:
    told = record(enlarged(Kind.UPGRADE_1080P, index=1))
    assert told["fallbackFlag"] is False
    assert told["response"]["resolution"] == "1080p"
    assert not {"mediaIds", "imageUrls"} & set(told["response"])
    assert json.loads(told["paramJson"])["index"] == 1


def test_a_4k_version_has_pictures_and_no_fallback_flag() -> None:
    told = record(enlarged())
    assert "fallbackFlag" not in told
    assert (told["response"]["mediaIds"], told["response"]["imageUrls"]) == ([MEDIA_ID], [POSTER_URL])
    assert told["response"]["resolution"] == "4k"


def test_a_4k_version_under_way_has_no_fallback_flag_either() -> None:
    assert "fallbackFlag" not in record(task(kind=Kind.UPGRADE_4K, source_id=SOURCE_ID))


def test_what_get_4k_video_says() -> None:
    assert render_enlarged(task(kind=Kind.UPGRADE_4K), LINKS) == {"taskId": ID, "resultUrls": None, "imageUrls": None}
    assert render_enlarged(enlarged(), LINKS) == {"taskId": ID, "resultUrls": [URL], "imageUrls": [POSTER_URL]}


# ---------------------------------------------------------------- the callback ------------------------------------


def test_the_callback_of_success() -> None:
    told = callback(task(Status.SUCCEEDED))
    assert json.loads(told["data"].pop("promptJson")) == PARAMS
    assert told == {
        "code": 200,
        "msg": "Veo3.1 video generated successfully.",
        "taskId": ID,
        "data": {
            "taskId": ID,
            "task_id": ID,
            "fallbackFlag": False,
            "info": {"resultUrls": [URL], "originUrls": None, "fullResultUrls": None, "resolution": "720p"},
            "creditsConsumed": 60,
        },
    }


def test_the_callback_of_an_upright_film_has_its_origin() -> None:
    told = callback(task(Status.SUCCEEDED, aspect_ratio=AspectRatio.PORTRAIT))
    assert told["data"]["info"]["originUrls"] == [URL]


def test_the_callback_of_a_fallback_says_so() -> None:
    told = callback(task(Status.SUCCEEDED, fallback_used=True))
    assert told["msg"] == "Veo3.1 video generated successfully (using fallback model)."
    assert told["data"]["fallbackFlag"] is True
    assert "originUrls" not in told["data"]["info"]


@pytest.mark.parametrize(("slug", "code"), [("content_rejected", 400), ("engine_timeout", 408), ("engine_failed", 501)])
def test_the_callback_of_failure(slug: str, code: int) -> None:
    told = callback(task(Status.FAILED, failure=Failure(slug, "No film.")))
    assert (told["code"], told["taskId"]) == (code, ID)
    assert told["data"] == {"taskId": ID, "task_id": ID, "fallbackFlag": False}
    assert told["msg"].endswith("No film.")


def test_the_callback_of_an_extension() -> None:
    assert callback(extended())["data"]["info"] == {
        "resultUrls": [URL],
        "originUrls": None,
        "fullResultUrls": [FULL_URL],
        "resolution": "720p",
    }


def test_the_callback_of_a_4k_version_has_both_spellings() -> None:
    told = callback(enlarged())
    data = told.pop("data")
    assert json.loads(data.pop("promptJson"))["taskId"] == SOURCE_ID
    assert told == {"code": 200, "msg": "4K Video generated successfully.", "taskId": ID}
    assert data == {
        "taskId": ID,
        "task_id": ID,
        "info": {"resultUrls": [URL], "imageUrls": [POSTER_URL], "mediaIds": [MEDIA_ID], "resolution": "4k"},
        "result_urls": [URL],
        "image_urls": [POSTER_URL],
        "media_ids": [MEDIA_ID],
        "creditsConsumed": 60,
    }


def test_the_callback_of_a_4k_version_that_could_not_be_made() -> None:
    failure = Failure("engine_failed", "No memory.")
    assert callback(task(Status.FAILED, failure=failure, kind=Kind.UPGRADE_4K, source_id=SOURCE_ID)) == {
        "code": 500,
        "msg": "The 4K version of this video is unavailable. Please try a different video.",
        "taskId": ID,
        "data": {"taskId": ID, "task_id": ID},
    }


def test_the_lists_of_an_extension_as_text() -> None:
    info = callback(extended(), Edition(callback_result_urls="json_string"))["data"]["info"]
    assert json.loads(info["fullResultUrls"]) == [FULL_URL]
    info = callback(enlarged(), Edition(callback_result_urls="json_string"))["data"]["info"]
    assert json.loads(info["imageUrls"]) == [POSTER_URL]


def test_the_callback_s_lists_as_text() -> None:
    info = callback(task(Status.SUCCEEDED), Edition(callback_result_urls="json_string"))["data"]["info"]
    assert json.loads(info["resultUrls"]) == [URL]
    assert info["originUrls"] is None


def test_the_callback_s_order_as_an_object() -> None:
    assert callback(task(Status.SUCCEEDED), Edition(prompt_json="object"))["data"]["promptJson"] == PARAMS


def test_a_callback_is_composed_in_the_edition_of_the_key_that_asked() -> None:
    asked = replace(ORIGIN, edition={"preset": "quickstart"})
    body = compose_callback(task(Status.SUCCEEDED, origin=asked), LINKS, {"prompt_json": "object"})
    data = json.loads(body)["data"]
    assert json.loads(data["info"]["resultUrls"]) == [URL]
    assert data["promptJson"] == PARAMS
