// Lists the requests of one pile of the timeline: those of one event that have one place there.

import { by, openOver } from "./dom.js";
import { list } from "./exchange.js";
import { during, instant } from "./time.js";

export class PileView {
  /** `choose` is called with the number of a request. */
  constructor(state, choose) {
    this.state = state;
    this.choose = choose;
    this.dialog = by("pile");
    by("pile-close").addEventListener("click", () => this.dialog.close());
  }

  /** Opens the list of an event's requests from one instant to another. */
  open(eventId, first, last) {
    Object.assign(this, { eventId, first, last });
    this.show();
    openOver(this.dialog);
    by("pile-title").focus();
  }

  /** Shows it again, because there may be another one. */
  refresh() {
    if (this.dialog.open) this.show();
  }

  show() {
    const lane = this.state.lanes.find((each) => each.eventId === this.eventId);
    const here = (time) => this.first <= time && time <= this.last;
    const entries = (lane?.entries ?? []).filter((each) => here(instant(each._feedback.now)));
    by("pile-title").textContent = `${entries.length} requests ${during(this.first, this.last)}`;
    list(by("pile-rows"), entries.reverse(), this.choose);
  }
}
