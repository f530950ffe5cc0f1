/** Shows times in the visitor's own time zone, as the server wrote them in UTC, which a pointer shows above each. */

const two = (n) => String(n).padStart(2, "0");

/** @param {Date} moment @param {boolean} hasSeconds */
function local(moment, hasSeconds) {
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  const time = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
  return `${day} ${time}${hasSeconds ? `:${two(moment.getSeconds())}` : ""}`;
}

/** @param {ParentNode} root */
export function showLocalTimes(root = document) {
  for (const place of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(place.dateTime);
    if (place.title || Number.isNaN(moment.getTime())) continue;
    place.title = `${place.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    place.textContent = local(moment, /\d:\d\d:\d\d/.test(place.textContent));
  }
}
