/* units.js - numbers for people; null is what is not known. */
const NOTHING = '\u2013';

function digits(n) {
	const size = Math.abs(n);

	if (size >= 100 || Number.isInteger(n))
		return Math.round(n).toLocaleString('en');
	return n.toFixed(size >= 10 ? 1 : 2);
}

/* With the first unit that leaves less than 1000. */
function scaled(n, units, gap) {
	let i = 0;

	/* What would be shown as 1,000 is one of the next. */
	while (Math.abs(n) >= 999.5 && i < units.length - 1) {
		n /= 1000;
		i++;
	}
	return digits(n) + (units[i] === '' ? '' : gap + units[i]);
}

function countText(n) {
	if (n === null)
		return NOTHING;
	return Math.abs(n) < 100000 ? digits(n) :
		scaled(n, ['', 'k', 'M', 'G', 'T'], '');
}

function rateText(n) {
	return n === null ? NOTHING : countText(n) + '/s';
}

function bytesText(n) {
	return n === null ? NOTHING :
		scaled(n, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], '\u00a0');
}

function speedText(n) {
	return n === null ? NOTHING : bytesText(n) + '/s';
}

/* Of microseconds. */
function timeText(us) {
	if (us === null)
		return NOTHING;
	if (us < 60e6)
		return scaled(us, ['\u00b5s', 'ms', 's'], '\u00a0');
	return ageText(us / 1000);
}

/* Of milliseconds that may be hours. */
function ageText(ms) {
	const s = Math.floor(ms / 1000);
	const two = (n) => String(n).padStart(2, '0');

	if (s < 60)
		return s + '\u00a0s';
	if (s < 3600)
		return Math.floor(s / 60) + ':' + two(s % 60) + '\u00a0min';
	if (s < 48 * 3600)
		return Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) +
			'\u00a0h';
	return Math.floor(s / 86400) + '\u00a0d';
}

function plural(n, one) {
	return digits(n) + ' ' + one + (n === 1 ? '' : 's');
}
