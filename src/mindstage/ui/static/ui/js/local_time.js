/* <local-time>: the server writes UTC; the reader sees their own clock, in the words of the page. */
const DAY = 86400000;
const STYLES = {
  time: { hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "long", year: "numeric" },
};

class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    const moment = new Date(time?.dateTime ?? "");
    if (Number.isNaN(moment.getTime())) return;
    const format = STYLES[this.dataset.style];
    time.textContent = format ? new Intl.DateTimeFormat("en-GB", format).format(moment) : nearDay(moment);
    time.title = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" }).format(moment);
  }
}

function nearDay(moment) {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - moment) / DAY);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  if (days < 7) return `on ${new Intl.DateTimeFormat("en-GB", { weekday: "long" }).format(moment)}`;
  const year = moment.getFullYear() === midnight.getFullYear() ? undefined : "numeric";
  return `on ${new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year }).format(moment)}`;
}

customElements.define("local-time", LocalTime);
