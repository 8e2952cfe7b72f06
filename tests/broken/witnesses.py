"""The witness of each broken server, by the name of its class. Each is tried on the correct and on the broken
server.
"""

import json
from base64 import b64encode
from dataclasses import replace
from urllib.parse import urlencode

from tests.broken.crowded import FEW
from tests.broken.witness import (
    BESIDE,
    ELSEWHERE,
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
JSON = json.dumps(BODY).encode()
FORM = (
    "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in BODY.items()
    ).encode()
    + b"--b--\r\n"
)
URLENCODED = "application/x-www-form-urlencoded"
MANY = tuple(f"{number:032x}" for number in range(1, FEW + 2))
KNOWN: Witness = tuple(step for each in MANY for step in (save(each), submit(each)))
FIELDS = {"event_id": EVENT, "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}
# The first project's own: its number is 1.
PATH = f"/api/0/projects/{HERE}/user-feedback/"
TOKEN, KEY = "write-acme-shop", "1".rjust(32, "a")


def _dsn(key: str = KEY, host: str = "127.0.0.1", number: str = "1") -> str:
    """A DSN as a header, from its parts."""
    return f"DSN http://{key}@{host}/{number}"


def _multipart(fields: dict[str, str]) -> bytes:
    """A form, with the boundary x."""
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return "".join((*parts, "--x--\r\n")).encode()


def _aged(saved_ago: str, **facts: str) -> Witness:
    """Feedback for an event of some age."""
    return save(saved_ago=saved_ago, **facts), submit()


def _again(after: str) -> Witness:
    """Feedback twice, the second time this much later."""
    return submit(), advance(after), submit(comments="Again.")


TWICE: Witness = (submit(), submit(comments="Again."))
THRICE: Witness = (*_again("PT3M"), advance("PT3M"), submit())

WITNESSES: dict[str, Witness] = {
    "AdministratorForgivesAge": (save(saved_ago="PT30M0.000001S"), submit(by="admin")),
    "AdministratorOverwritesAtAnyTime": (submit(), advance("PT5M0.000001S"), submit(by="admin")),
    "OnlyWritersSubmit": (submit(by="admin"),),
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
    "AdditionsAreAlwaysWelcome": (submit(), advance("PT6M"), submit(comments="It broke! Again.")),
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
    "FewOverwrites": (submit(),) * 17,
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
    # concurrency
    "ReadsThenWrites": (Together((submit(), submit())), records()),
    "LocksIdsAsWritten": (Together((submit(), submit(EVENT.upper()))), records()),
    "LocksCredentials": (Together((submit(), submit(by="dsn"))), records()),
    "IdsAreTakenEarly": (Together((submit(), submit(OTHER))),),
    "BusyIsAConflict": (Together((submit(), submit(OTHER))),),
    "BusyIsACrash": (Together((submit(), submit(OTHER))),),
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
    "PreflightAllowsOtherHeaders": (method("OPTIONS", by=None),),
    "PreflightAllowsAllButAuthorization": (method("OPTIONS", by=None),),
    "PreflightForgetsTheList": (method("OPTIONS", by=None),),
    "AllowForgetsTheList": (submit(by=""),),
    "NoLargestBody": (post(b" " * 1_048_577),),
    "AMillionIsCut": (submit(comments="a" * 1_000_001),),
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
    "CursorsMayGoOn": (listing("?cursor=0:0:0x"),),
    "AnyCursorIsTheBeginning": (listing("?cursor=nonsense"),),
    "LinksRunTogether": (listing(),),
    "AnEmptyPageAtTheEnd": (save(), submit(), listing("?per_page=1")),
    "EnvironmentsInAnyCase": (save(environment="production"), submit(), listing("?environment=Production")),
    # more than the four fields
    "PagesElsewhereAreRefused": (replace(submit(), headers={"Origin": "https://app.example"}),),
    "SentryAuthWillDo": (replace(submit(by=""), headers={"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}),),
    "TheNameInAnswersWillDo": (submit(event_id=..., eventID=EVENT),),
    "TheUserIsTakenFromTheRequest": (submit(user={"id": "1"}),),
    "AccentsCountForNothing": (submit(name="e\u0301" * 70),),
    "DashesInDomainsAreRefused": (submit(email="jane@mail-1.example.com"),),
    "AlmostTheSameIsARetry": (submit(), submit(name="JANE SMITH")),
    "ConflictsHaveNoHeaders": _again("PT5M0.000001S"),
    "NoEventHasTheIdZero": (submit("0" * 32),),
    "FormsAreDecodedTwice": (post(urlencode({**BODY, "name": "50%25"}).encode(), "application/x-www-form-urlencoded"),),
    "PartsLoseTheirReturns": (post(FORM.replace(b"broke", b"\r\n"), "multipart/form-data; boundary=b"),),
    # who may read
    "TokensOfTheOrganizationMayList": (method("GET", by=f"write of {BESIDE}"),),
    "AnySchemeMayList": (method("GET", by=f"Token {TOKEN}"),),
    "NoProjectHasAnEmptyList": (method("GET", at="acme/nowhere"),),
    "HeadAsksNobody": (method("HEAD", by=None),),
    # notations that are refused, and methods
    "NanIsTaken": (post(JSON[:-1] + b', "more": NaN}'),),
    "CommasAndCommentsAreTaken": (post(JSON[:-1] + b",}"),),
    "PythonIsTaken": (post(JSON.replace(b'"', b"'")),),
    "PartsMustBeUtf8": (post(FORM.replace(b"broke", b"\xff"), "multipart/form-data; boundary=b"),),
    "MethodsAreRefusedInText": (method("PATCH"),),
    # refusals: parts of credentials
    "AnySchemeWillDo": (submit(by=f"Basic {TOKEN}"),),
    "AnySchemeBeforeADsn": (submit(by=_dsn().replace("DSN", "Basic")),),
    "NoSchemeWillDo": (submit(by=TOKEN),),
    "ConnectionsRemember": (submit(), submit(by="")),
    "ConnectionsKeepTheirProject": (submit(at=BESIDE), submit()),
    "TheBodyNotReadComesNext": (submit(by=""), submit(OTHER)),
    "MissingFieldsFromTheRequestBefore": (submit(), post(b"{}", "application/json")),
    "BrowsersGetAPage": (replace(submit(), headers={"Accept": "text/html,*/*;q=0.8"}),),
    "PathsInAnyCase": (Send("POST", f"/api/0/projects/{HERE}/User-Feedback/", BODY, f"write of {HERE}"),),
    "TimestampsAheadAreRefused": (save(timestamp="2026-03-29T02:00:00Z"), submit()),
    "HeadForEveryDsn": (method("HEAD", by=f"dsn of {HERE}"),),
    "SemicolonsSeparateFields": (
        post(urlencode({**FIELDS, "comments": "a;b"}, safe=";").encode(), "application/x-www-form-urlencoded"),
    ),
    "BoundariesKeepTheirQuotes": (post(_multipart(FIELDS), 'multipart/form-data; boundary="x"'),),
    "PartsWithATypeAreFiles": (
        post(
            _multipart(FIELDS).replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain\r\n\r\n"),
            "multipart/form-data; boundary=x",
        ),
    ),
    "WrongBytesAreReplaced": (post(JSON.replace(b"broke", b"br\xffke")),),
    "KeysInAnyCase": (submit(Name="Imposter"),),
    "SynonymsAreTaken": (submit(message="Imposed."),),
    "TheBodyNamesTheProject": (submit(organization="acme", project="office"), records(BESIDE)),
    "TagsAreAList": (submit(tags={"a": "b"}),),
    "TheSameIsAcceptedForever": (submit(), advance("PT6M"), submit()),
    "BodiesComeBeforeTheProjectOfADsn": (submit(by=f"dsn of {BESIDE}", email="nope"),),
    "UnderscoresAreWildcards": (Send("POST", "/api/0/projects/acme/sho_/user-feedback/", BODY, f"write of {HERE}"),),
    "AddressesOfPagesForgetTheStatus": (listing("?status=&per_page=1"),),
    "IssuesStayUnresolved": (save(issue_status="resolved"), submit()),
    "SpacesAreCollapsed": (submit(comments="Two  spaces."),),
    "PunctuationAroundTextIsTrimmed": (submit(comments="...and then?!"),),
    "EscapesAreResolved": (submit(comments=r"It printed \n."),),
    "PlaceholdersAreFilled": (submit(comments="It printed %s."),),
    "InvisibleCharactersAreRemoved": (submit(comments="zero\u200bwidth"),),
    "EntitiesAreResolved": (submit(comments="It shows &#39;."),),
    "OnlyAsciiIsWhiteSpace": (submit(comments="\u3000"),),
    "DomainsMayHaveEmptyParts": (submit(email="jane@example..com"),),
    "DomainsHaveAtMostThreeDots": (submit(email="jane@mail.dept.example.co.uk"),),
    "EmailsInSmallLettersOnly": (submit(email="Jane@Example.COM"),),
    "RobotsAreRefused": (replace(submit(), headers={"User-Agent": "curl/8.5.0"}),),
    "FirstWordIsTheToken": (submit(by=f"Bearer {TOKEN} x"),),
    "TokensInAnyCase": (submit(by=f"Bearer {TOKEN.upper()}"),),
    "TokensByTheirBeginning": (submit(by=f"Bearer {TOKEN}x"),),
    "DsnByKeyAlone": (submit(by=_dsn(number="2")),),
    "DsnNumberAtLeast": (submit(by=_dsn(number="2")),),
    "DsnKeyWithoutItsFirstDigit": (submit(by=_dsn(key=f"b{KEY[1:]}")),),
    "DsnHostMatters": (submit(by=_dsn(host="localhost")),),
    "DsnSecretIsRefused": (submit(by=_dsn(key=f"{KEY}:secret")),),
    "DsnAnswersNothing": (submit(by="dsn"),),
    # refusals: across projects
    "SameSlugSameProject": (submit(by=f"dsn of {ELSEWHERE}"),),
    "TokensOfTheOrganization": (submit(by=f"write of {BESIDE}"),),
    "NumbersInThePath": (submit(at="acme/1", by=f"write of {HERE}"),),
    "SlugsByTheirBeginning": (submit(at="acme/shopx", by=f"write of {HERE}"),),
    # refusals: on feedback that exists
    "RightFieldsOfAWrongOverwriteAreKept": (submit(), submit(name="Wrong", email="nobody"), records()),
    "NullRestartsTheWindow": (submit(), advance("PT3M"), submit(name=None), advance("PT3M"), submit()),
    "ReadersEndTheWindow": (submit(), submit(by="read"), submit()),
    "PlainTextRemovesFeedback": (submit(), post(b"{}", "text/plain"), records()),
    "PutIsStoredAllTheSame": (replace(submit(), method="PUT"), records()),
    "StoredWithoutTheSlash": (replace(submit(), path="/api/0/projects/acme/shop/user-feedback"), records()),
    # refusals: in one form only
    "FormsMayBeBlank": (post(urlencode({**FIELDS, "comments": ""}).encode(), "application/x-www-form-urlencoded"),),
    "MultipartHasNoLengths": (post(_multipart({**FIELDS, "name": "a" * 129}), "multipart/form-data; boundary=x"),),
    "ChunksHaveNoLimit": (replace(post(b" " * 1_048_577), chunked=True),),
    "DsnMayDash": (submit("7167980c-a1db-42cd-ba8d-5284e7f81c66", by="dsn"),),
    # refusals: what comes first, and answers
    "MediaTypeBeforePermission": (post(b"{}", "text/plain", by=f"read of {HERE}"),),
    "WindowsBeforeFields": (save(saved_ago="PT31M"), submit(email="nobody")),
    "RefusalsThatNoBrowserReads": (method("PUT"),),
    "RefersToTheRecord": (submit(),),
    "OneCharacterIsTooShort": (submit(comments="!"),),
    # values and bodies that other languages write and read
    "WhiteSpaceBeforeNewLinesIsRemoved": (submit(comments="one \ntwo"),),
    "NamesAreCutInTheirUtf16": (submit(name="😀" * 70),),
    "WhatObjectsInheritIsTaken": (submit(name="constructor"),),
    "PiecesAreDecodedApart": (post(json.dumps({**BODY, "comments": "漢😀" * 20_000}, ensure_ascii=False).encode()),),
    "NumbersMustFit": (submit(more=10**30),),
    "SlashesMayNotBeEscaped": (post(JSON.replace(b"broke", rb"br\/ke")),),
    "ObjectsBeginAtOnce": (post(b"\n" + JSON),),
    "SmallHexIsNotDecoded": (post(urlencode(BODY).replace("%40", "%c3%a9@").encode(), URLENCODED),),
    "FieldsAreInherited": (submit(name=..., __proto__={"name": "Jane Smith"}),),
    # credentials beside those that count
    "TokensAreUsersOfBasic": (submit(by=f"Basic {b64encode(f'{TOKEN}:'.encode()).decode()}"),),
    "KeysInTheUrlWillDo": (replace(post(JSON, by=None), path=f"{PATH}?sentry_key={KEY}"),),
    "QuotesAroundTokensAreDropped": (submit(by=f'Bearer "{TOKEN}"'),),
    "AdministratorsOfAnyProject": (submit(by=f"admin of {BESIDE}"),),
    "AnyMentionOfJson": (post(JSON, "text/plain; of=application/json"),),
    "AdministratorsMayNotList": (listing(by="admin"),),
    "DsnMayFilter": (listing("?status=", by="dsn"),),
    "ResolvedIsAStatusToo": (listing("?status=resolved"),),
    # a crowded project
    "OldFeedbackMakesRoom": (*(submit(each) for each in MANY), records()),
    "OldFeedbackHasNoWindow": (*(submit(each) for each in MANY), advance("PT6M"), submit(MANY[0])),
    "LaterEventsHaveNoWindow": (*(save(each) for each in MANY), save(saved_ago="PT31M"), submit()),
    "TheOldestAlikeCounts": (submit(OTHER), advance("PT3M"), submit(), advance("PT3M"), submit()),
    "TheIssueIsAsOldAsItsFirstEvent": (save(OTHER, title="A", saved_ago="PT31M"), save(title="A"), submit()),
    "IdsBeginAgain": (*(submit(each) for each in MANY), records()),
    "OldEventsAreForgotten": (*(save(each) for each in MANY), submit(MANY[0])),
    "ListsTheLastFew": (*KNOWN, listing()),
    "APageBeforeTheFirst": (listing(),),
    "PagesOverlap": (*KNOWN[:6], listing("?per_page=2")),
    "BackIsTheBeginning": (*KNOWN[:4], listing("?per_page=1&cursor=0:2:0")),
    "PagesOfNothing": (listing("?per_page=0"),),
    "LaterPagesForgetTheStatus": (save(issue_status="resolved"), submit(), listing("?status=&cursor=0:0:0")),
    "EnvironmentsByTheirBeginning": (save(environment="production"), submit(), listing("?environment=prod")),
}
