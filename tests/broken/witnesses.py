"""The witness of each broken server, by the name of its class. Each is tried on the sound and on the broken server."""

import json

from tests.broken.witness import (
    BESIDE,
    EVENT,
    HERE,
    Send,
    Together,
    Witness,
    advance,
    listing,
    method,
    post,
    records,
    save,
    submit,
)

OTHER = "14bad9a2e3774046977a21440ddb39b2"
BODY = {"event_id": EVENT, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
FORM = (
    "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in BODY.items()
    ).encode()
    + b"--b--\r\n"
)


def _aged(saved_ago: str, **facts: str) -> Witness:
    """Feedback for an event of some age."""
    return save(saved_ago=saved_ago, **facts), submit()


def _again(after: str) -> Witness:
    """Feedback twice, the second time so much later."""
    return submit(), advance(after), submit(comments="Again.")


TWICE: Witness = (submit(), submit(comments="Again."))
THRICE: Witness = (*_again("PT3M"), advance("PT3M"), submit())

WITNESSES: dict[str, Witness] = {
    # limits
    "EventWindowTooLong": _aged("PT30M30S"),
    "EventWindowOneSecondShort": _aged("PT29M59.5S"),
    "EventWindowOneMicrosecondLong": _aged("PT30M0.000001S"),
    "NoEventWindow": _aged("PT31M"),
    "EventWindowExcludesItsLimit": _aged("PT30M"),
    "EventWindowInHours": _aged("PT31M"),
    "EventWindowInSeconds": _aged("PT1M"),
    "EventWindowInWholeSeconds": _aged("PT30M0.5S"),
    "EventWindowInWholeMinutes": _aged("PT30M1S"),
    "EventWindowForgetsDays": _aged("P1D"),
    "EventWindowByMinuteOfTheHour": _aged("PT1H"),
    "EventWindowInLocalTime": (save(), advance("PT1M"), submit()),
    "WindowsSwapped": _aged("PT6M"),
    "OverwriteWindowTooLong": _again("PT5M30S"),
    "OverwriteWindowTooShort": _again("PT4M30S"),
    "OverwriteWindowOneMicrosecondLong": _again("PT5M0.000001S"),
    "OverwriteWindowExcludesItsLimit": _again("PT5M"),
    "NoOverwriteWindow": _again("PT6M"),
    "OverwriteWindowInMilliseconds": _again("PT1S"),
    "OverwriteWindowForgetsDays": _again("P1D"),
    "OverwriteWindowRounded": _again("PT5M0.4S"),
    "OverwriteWindowOpensAgain": _again("PT20M"),
    "EventWindowOpensAgain": _aged("PT31M"),
    "EventIsForgottenAfterItsWindow": _aged("PT31M"),
    # what they count from
    "EventWindowFromTimestamp": _aged("PT1M", timestamp_ago="PT31M"),
    "EventWindowFromTheLaterOfBoth": _aged("PT31M", timestamp_ago="PT1M"),
    "OverwriteWindowSlides": THRICE,
    "OverwriteWindowSlidesOnce": THRICE,
    "OverwriteWindowFromTheEvent": (save(saved_ago="PT4M"), *_again("PT2M")),
    "NoOverwriteWindowForUnknownEvents": _again("PT6M"),
    "FreshFeedbackBeatsTheEventWindow": (save(saved_ago="PT29M"), *_again("PT2M")),
    "UnknownEventsAreRefused": (submit(),),
    "UnknownEventsCountFromTheProject": (advance("PT31M"), submit()),
    # refusals
    "ConflictIs400": _aged("PT31M"),
    "ConflictWithoutDetail": _aged("PT31M"),
    "ConflictAsAnObject": _aged("PT31M"),
    "RefusedButStored": (*_again("PT6M"), records()),
    "RefusedRestartsTheWindow": (*_again("PT6M"), submit()),
    "RefusedFirstSubmissionIsStored": (*_aged("PT31M"), records()),
    # overwriting
    "OverwriteLosesComments": TWICE,
    "OverwriteIsLost": TWICE,
    "OverwriteAnswersOldValues": TWICE,
    "LateOverwriteIsLost": _again("PT3M"),
    "LateOverwriteChangesTheId": _again("PT3M"),
    "IssueIsForgotten": _aged("PT3M"),
    "OverwriteMovesTheDate": _again("PT1S"),
    "OverwriteChangesTheId": TWICE,
    "SecondRecord": (*TWICE, records()),
    "RecordPerCredentials": (submit(), submit(by="dsn")),
    "NoWindowsForDsn": (save(saved_ago="PT31M"), submit(by="dsn")),
    "NoOverwriteByDsn": (submit(), submit(by="dsn")),
    "RetryIsRefused": (submit(), submit()),
    # at the same time
    "ReadsThenWrites": (Together((submit(), submit())), records()),
    "BusyIsAConflict": (Together((submit(), submit(OTHER))),),
    # isolation
    "OneStoreForAllProjects": (submit(at=BESIDE), advance("PT6M"), submit()),
    "EventsOfAllProjects": (save(at=BESIDE), submit()),
    "OneClockForAllProjects": (save(), advance("PT31M", at=BESIDE), submit()),
    # values
    "CreatedIs201": (submit(),),
    "OneIdForAll": (submit(), submit(OTHER)),
    "AnswerWithoutUser": (submit(),),
    "DateWithoutZone": (submit(),),
    "IssueIsNeverThere": (save(), submit()),
    "CaseMatters": (submit(EVENT.upper()),),
    "NothingIsTrimmed": (submit(name=" Jane "),),
    "LatinOnly": (submit(comments="a → b"),),
    "CommentsAreCut": (submit(comments="a" * 4097),),
    "OtherKeysAreRefused": (submit(other="key"),),
    "NullIsAnError": (post(b"null"),),
    # credentials
    "CredentialsIgnored": (submit(by=""),),
    "AnyTokenOpens": (submit(by=f"Bearer {'a' * 64}"),),
    "AnyKeyOfTheProjectOpens": (submit(by=f"DSN http://{'b' * 32}@127.0.0.1/1"),),
    "ReadersMayWrite": (submit(by="read"),),
    "AnyDsnOpens": (submit(by=f"dsn of {BESIDE}"),),
    "AnyProjectsTokenOpens": (submit(by=f"write of {BESIDE}"),),
    "NoDsn": (submit(by="dsn"),),
    "OnlyBearerInCapitals": (submit(by="bearer write-acme-shop"),),
    # HTTP
    "UnknownProjectIs403": (Send("POST", "/api/0/projects/acme/nowhere/user-feedback/", {}, f"write of {HERE}"),),
    "SlashIsAdded": (Send("GET", f"/api/0/projects/{HERE}/user-feedback", by=f"write of {HERE}"),),
    "HeadIs405": (method("HEAD"),),
    "MayBeFramed": (method("OPTIONS"),),
    "NoForms": (post(FORM, "multipart/form-data; boundary=b"),),
    "MethodIs404": (method("PUT"),),
    "PreflightNeedsCredentials": (method("OPTIONS", by=None),),
    "NoLargestBody": (post(b" " * 1_048_577),),
    "AnyMediaTypeIsJson": (post(b"{}", "text/plain"),),
    "BrokenJsonIs500": (post(b"{"),),
    "ErrorsAreText": (post(b"{}"),),
    "ProjectBeforeCredentials": (submit(at="nobody/nowhere", by=""),),
    # fields
    "EmojiAreRefused": (submit(name="Jane 😀"),),
    "ListIsItsFirst": (post(json.dumps([BODY]).encode()),),
    "ShortIdIsNotFound": (submit("7167980c"),),
    "EqualKeysAreJoined": (post(json.dumps(BODY).replace("{", '{"name": "John", ', 1).encode()),),
    "NameOneLonger": (submit(name="a" * 129),),
    "AnyEmail": (submit(email="nobody"),),
    "OnlyTheFirstError": (post(b"{}"),),
    "DashesAreStripped": (submit("7167980c-a1db-42cd-ba8d-5284e7f81c66"),),
    # the list
    "OldestFirst": (save(), save(OTHER), submit(), submit(OTHER), listing()),
    "EverythingIsListed": (submit(), listing()),
    "DsnMayList": (listing(by="dsn"),),
    "ResolvedIsListed": (save(issue_status="resolved"), submit(), listing()),
    "EnvironmentIsIgnored": (save(environment="production"), submit(), listing("?environment=staging")),
    "PageBeginsOneTooLate": (save(), save(OTHER), submit(), submit(OTHER), listing("?per_page=1")),
    "AnyCursorIsTheBeginning": (listing("?cursor=nonsense"),),
}
