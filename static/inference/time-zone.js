/** Names the browser's time zone in a cookie, and loads the page again where it was made for another one. */
const NAME = "mlxsite_zone";
const A_YEAR_S = 31_536_000;

const known = () => decodeURIComponent(document.cookie.match(/(?:^|; )mlxsite_zone=([^;]*)/)?.[1] ?? "");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (zone && known() !== zone) {
  document.cookie = `${NAME}=${encodeURIComponent(zone)}; path=/admin/; max-age=${A_YEAR_S}; samesite=lax`;
  const shown = document.querySelector("[data-zone]")?.dataset.zone ?? zone;
  if (known() === zone && shown !== zone) location.reload();
}
