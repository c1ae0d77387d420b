/* rates.js - what happened between two answers of /v1/stats.  A counter that
 * is new, or less than before as weir was started again, has no rate yet. */

function rise(before, after) {
	return before === undefined || after < before ? null : after - before;
}

/* Null when nobody knows. */
function sum(list) {
	const known = list.filter((n) => n !== null);

	return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

function byKey(rows, key) {
	return new Map(rows.map((row) => [key(row), row]));
}

const serverKey = (s) => s.name;
const backendKey = (b) => b.address;
const stageKey = (m) => m.server + '\n' + m.name;

/* How often each bucket was met; null after a start. */
function bucketsRise(before, after) {
	const had = new Map(before.buckets);
	const rises = after.buckets.map(([us, n]) => [us, n - (had.get(us) || 0)]);

	return after.count < before.count || rises.some(([, n]) => n < 0) ?
		null : rises;
}

/* The time (in microseconds) that part q of all did not exceed; null: there are
 * none.  Bounds of buckets are about three apart. */
function quantile(buckets, q) {
	const sorted = buckets.filter(([, n]) => n > 0)
		.map(([us, n]) => [us === null ? Infinity : us, n])
		.sort((a, b) => a[0] - b[0]);
	let left = q * sorted.reduce((all, [, n]) => all + n, 0);

	for (const [us, n] of sorted) {
		if (left > n) {
			left -= n;
			continue;
		}
		if (us === Infinity)
			return 1e10;
		return us <= 100 ? us * left / n :
			us / 3 * Math.pow(3, left / n);
	}
	return null;
}

function merged(lists) {
	const all = new Map();

	for (const list of lists)
		for (const [us, n] of list)
			all.set(us, (all.get(us) || 0) + n);
	return [...all];
}

/* Rates a second of all that both answers have; before may be null. */
function compare(before, after, seconds) {
	const pairs = (rows, old, key, of) => {
		const had = byKey(old, key);

		return new Map(rows.map((row) =>
			[key(row), of(had.get(key(row)), row)]));
	};
	const rate = (a, b) => {
		const n = rise(a, b);

		return n === null ? null : n / seconds;
	};
	const old = before || { servers: [], backends: [], middlewares: [] };
	const servers = pairs(after.servers, old.servers, serverKey, (a, b) => ({
		accepted: rate(a?.accepted, b.accepted),
		up: rate(a?.up.sent_bytes, b.up.sent_bytes),
		down: rate(a?.down.sent_bytes, b.down.sent_bytes),
		connect: a === undefined ? null :
			bucketsRise(a.connect, b.connect),
		ended: Object.fromEntries(Object.entries(b.ended).map(
			([word, n]) => [word, rate(a?.ended[word], n)])),
	}));
	const all = (get) => sum([...servers.values()].map(get));

	return {
		servers,
		/* Of those that were there before: a server that goes with a
		 * reload is no fall, one that comes no jump. */
		accepted: all((s) => s.accepted),
		up: all((s) => s.up),
		down: all((s) => s.down),
		ended: (word) => all((s) => s.ended[word] ?? null),
		connect: merged([...servers.values()].map((s) => s.connect || [])),
		backends: pairs(after.backends, old.backends, backendKey, (a, b) => {
			const n = rise(a?.connects, b.connects);
			const us = rise(a?.connect_us, b.connect_us);

			return {
				connects: n === null ? null : n / seconds,
				failures: rate(a?.failures, b.failures),
				connect_us: n > 0 && us !== null ? us / n : null,
			};
		}),
		stages: pairs(after.middlewares, old.middlewares, stageKey, (a, b) =>
			({
				calls: rate(a?.calls, b.calls),
				bytes: rate(a?.bytes, b.bytes),
				/* Nanoseconds of a second. */
				busy: rate(a?.ns, b.ns),
			})),
	};
}
