#!/usr/bin/env bash
# An SDK's tests against the mock, in bash and curl. `submit` represents the SDK under test: put yours in its place.
set -euo pipefail

EVENT=7167980ca1db42cdba8d5284e7f81c66
FOUND='{"event_id": "'$EVENT'", "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke!"}'

# The SDK under test: prints the response's body and, on a separate line, its status.
submit() { # BODY AUTHORIZATION
    curl -sS -w '\n%{http_code}\n' "$URL/api/0/projects/examples/$PROJECT/user-feedback/" \
        -H "Authorization: $2" -H 'Content-Type: application/json' -d "$1"
}

# The mock: one process for all tests, on a free port. It prints one JSON line as soon as it serves requests.
start_mock() {
    local mock="${FEEDBACK_MOCK:-feedback-mock}" # one path, blanks and all
    if ! command -v "$mock" >/dev/null; then
        echo "There is no command $mock: install sentry-feedback-contract, or say in FEEDBACK_MOCK where the command is." >&2
        exit 2
    fi
    # Its stdin closes when this process ends, however that happens, and so the mock ends, too.
    coproc MOCK { exec "$mock" --port 0 --log-format json --quiet --until-stdin-closes; }
    exec 3<&"${MOCK[0]}"
    PID=$!
    trap 'kill "$PID"' EXIT
    if ! read -r ready <&3; then
        trap - EXIT
        echo "The mock did not start." >&2
        exit 2
    fi
    URL=$(value url <<<"$ready")
}

# The mock's control protocol, for the project of the current test.
control() { # METHOD PATH [BODY]
    curl -sS -f -X "$1" "$URL/_control/projects/examples/$PROJECT$2" \
        -H 'Content-Type: application/json' ${3:+-d "$3"}
}

advance() { # DURATION
    control POST /clock/advance "{\"duration\": \"$1\"}" >/dev/null
}

fail() { # FAULT
    control POST /faults "{\"faults\": [$1]}" >/dev/null
}

# How many requests the mock got, by its journal.
expect_requests() { # MATCH COUNT
    expect_text '"verdict":"yes"' "$(control POST /requests/verify "{\"match\": $1, \"exactly\": $2}")"
}

# The last value of a key in one line of JSON, if it is a string.
value() { # KEY
    sed -nE "s/.*[{,] *\"$1\": *\"([^\"]*)\".*/\1/p"
}

expect() { # STATUS ANSWER
    if [ "${2##*$'\n'}" != "$1" ]; then
        printf 'not ok  %s: expected %s, and got\n%s\n' "$PROJECT" "$1" "$2" >&2
        exit 1
    fi
}

expect_text() { # TEXT ANSWER
    if [[ $2 != *"$1"* ]]; then
        printf 'not ok  %s: expected %s in\n%s\n' "$PROJECT" "$1" "$2" >&2
        exit 1
    fi
}

# Each test gets its own project, with its own credentials and a frozen clock.
run() { # TEST
    PROJECT=${1//_/-}
    local made
    made=$(control PUT "" '{"clock": {"now": "2026-01-01T00:00:00Z", "running": false}}')
    BEARER="Bearer $(value write <<<"$made")"
    DSN="DSN $(value dsn <<<"$made")"
    "$1"
    control DELETE ""
    echo "ok      $PROJECT"
}

feedback_is_stored_with_the_issue_of_its_event() {
    control PUT "/events/$EVENT" '{"title": "TypeError: undefined is not a function"}' >/dev/null
    local answer
    answer=$(submit "$FOUND" "$BEARER")
    expect 200 "$answer"
    expect_text '"title":"TypeError: undefined is not a function"' "$answer"
}

dsn_may_submit() {
    expect 200 "$(submit "$FOUND" "$DSN")"
}

retry_overwrites() {
    local first second
    first=$(submit "$FOUND" "$BEARER")
    second=$(submit "${FOUND/It broke!/The button does nothing.}" "$BEARER")
    expect 200 "$second"
    expect_text "\"id\":\"$(value id <<<"$first")\"" "$second"
    expect_text '"comments":"The button does nothing."' "$(control GET /feedback)"
}

event_window_ends_after_exactly_30_minutes() {
    control PUT "/events/$EVENT" >/dev/null
    advance PT30M
    expect 200 "$(submit "$FOUND" "$BEARER")"
    advance PT0.000001S
    expect 409 "$(submit "$FOUND" "$BEARER")"
}

overwrite_window_ends_after_exactly_5_minutes() {
    expect 200 "$(submit "$FOUND" "$BEARER")"
    advance PT5M
    expect 200 "$(submit "$FOUND" "$BEARER")"
    advance PT0.000001S
    expect 409 "$(submit "$FOUND" "$BEARER")"
}

invalid_fields_are_named() {
    local answer
    answer=$(submit "${FOUND/jane@example.com/nobody}" "$BEARER")
    expect 400 "$answer"
    expect_text '"email":["Enter a valid email address."]' "$answer"
}

retry_after_a_503_stores_it() {
    fail '{"effect": {"status": 503, "retry_after": 30}, "times": 1}'
    expect 503 "$(submit "$FOUND" "$BEARER")"
    expect_text '[]' "$(control GET /feedback)"
    expect 200 "$(submit "$FOUND" "$BEARER")"
    expect_requests '{"status": 503}' 1
    expect_requests '{"status": 200}' 1
}

retry_after_a_lost_response_stores_it_once() {
    fail '{"phase": "after", "effect": {"connection": "EMPTY_RESPONSE"}, "times": 1}'
    local answer
    if answer=$(submit "$FOUND" "$BEARER" 2>/dev/null); then
        expect "no response" "$answer"
    fi
    expect 200 "$(submit "$FOUND" "$BEARER")"
    expect_requests '{"event_id": "'$EVENT'"}' 2
    expect_requests '{"rule": "overwrite"}' 1
    expect_text '"state":"lost"' "$(control GET /requests)"
}

start_mock
run feedback_is_stored_with_the_issue_of_its_event
run dsn_may_submit
run retry_overwrites
run event_window_ends_after_exactly_30_minutes
run overwrite_window_ends_after_exactly_5_minutes
run invalid_fields_are_named
run retry_after_a_503_stores_it
run retry_after_a_lost_response_stores_it_once
