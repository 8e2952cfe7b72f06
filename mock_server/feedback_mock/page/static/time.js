// Instants and durations to the microsecond, as BigInt since 1970 UTC: a Number would lose some.

export const SECOND = 1_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;
export const DAY = 24n * HOUR;

const UNITS = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"]];
const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?$/;

/** Microseconds of an instant from the control protocol: RFC 3339 in UTC. */
export function instant(text) {
  const [, seconds, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(text);
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
}

/** The same instant as text. */
export function written(time) {
  const fraction = ((time % SECOND) + SECOND) % SECOND;
  const seconds = new Date(Number((time - fraction) / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(fraction).padStart(6, "0")}Z`;
}

/** Its time of day, with the fraction of its second only if it has one. */
export function timeOfDay(time) {
  return written(time).slice(11, -1).replace(/\.?0+$/, "");
}

/** When something happened that began and ended at these instants. */
export function during(first, last) {
  return first === last ? `at ${timeOfDay(first)}` : `from ${timeOfDay(first)} to ${timeOfDay(last)}`;
}

/** Microseconds of an ISO 8601 duration of the document, such as PT30M. */
export function duration(text) {
  const [, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0, fraction = ""] = DURATION.exec(text);
  const whole = (BigInt(weeks) * 7n + BigInt(days)) * DAY + BigInt(hours) * HOUR + BigInt(minutes) * MINUTE;
  return whole + BigInt(seconds) * SECOND + BigInt(fraction.padEnd(6, "0"));
}

/** A duration for people: `4 min 12 s`, `30 min 0.000001 s`. */
export function spoken(span) {
  const parts = [];
  let rest = span < 0n ? -span : span;
  for (const [size, name] of UNITS) {
    if (rest >= size) parts.push(`${rest / size} ${name}`);
    rest %= size;
  }
  if (rest || !parts.length) {
    const fraction = String(rest % SECOND).padStart(6, "0").replace(/0+$/, "");
    parts.push(`${rest / SECOND}${fraction && `.${fraction}`} s`);
  }
  return parts.join(" ");
}
