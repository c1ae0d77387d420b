/* views.js - which charts and tables there are. */
const QUANTILE_ANSWERS = 5; /* that connect times are taken of */

const number = (name, text, value, mark) =>
	({ name, kind: 'number', text: (r) => text(value(r)), value, mark });
const word = (name, text, mark) => ({ name, text, mark });
/* The states that somebody should look at stand out. */
const state = (fine) => word('State', (r) => r.state, (r) =>
	r.state === fine ? '' : r.state === NOTHING ? 'zero' : 'bad');
/* Nothing to see is told softly. */
const dim = (value) => (r) => value(r) === 0 ? 'zero' : '';

const charts = {
	accepted: new Chart('chart-new', [{ key: 'accepted', name: 'New' }],
		rateText, 2),
	open: new Chart('chart-open', [{ key: 'open', name: 'Open' }],
		countText, 2),
	bytes: new Chart('chart-bytes', [{ key: 'up', name: 'To backends' },
		{ key: 'down', name: 'To clients' }], speedText, 200),
	connect: new Chart('chart-connect', [{ key: 'p50', name: 'Median' },
		{ key: 'p95', name: '95 %' }], timeText, 200),
};

const servers = new Table('servers', (r) => r.name, [
	word('Name', (r) => r.name),
	state('open'),
	number('Open', countText, (r) => r.active, dim((r) => r.active)),
	number('New', rateText, (r) => r.rate.accepted,
		dim((r) => r.rate.accepted)),
	number('To backends', speedText, (r) => r.rate.up,
		dim((r) => r.rate.up)),
	number('To clients', speedText, (r) => r.rate.down,
		dim((r) => r.rate.down)),
	number('Accepted', countText, (r) => r.accepted),
	number('Sent to backends', bytesText, (r) => r.up.sent_bytes),
	number('Sent to clients', bytesText, (r) => r.down.sent_bytes),
], 'There are no servers.');

const channels = new Table('channels', (r) => r.id, [
	word('Channel', (r) => r.id),
	/* What they are sorted by is seen first, also on a phone. */
	number('From client', speedText, (r) => r.up.rate,
		dim((r) => r.up.rate)),
	number('From backend', speedText, (r) => r.down.rate,
		dim((r) => r.down.rate)),
	word('Client', (r) => r.client),
	word('Server', (r) => r.server),
	word('Backend', (r) => r.backend || NOTHING),
	word('State', (r) => r.state),
	number('Bytes', bytesText, (r) => r.up.bytes + r.down.bytes),
	number('Age', ageText, (r) => r.age_ms),
	number('Idle', ageText, (r) => r.idle_ms),
], 'No channel is open.');

const backends = new Table('backends', (r) => r.address, [
	word('Address', (r) => r.address),
	state('up'),
	number('Open', countText, (r) => r.active, dim((r) => r.active)),
	number('Connects', countText, (r) => r.connects),
	number('Now', rateText, (r) => r.rate.connects,
		dim((r) => r.rate.connects)),
	number('Failures', countText, (r) => r.failures,
		(r) => r.rate.failures > 0 ? 'bad' : dim((b) => b.failures)(r)),
	number('Connect time', timeText, (r) => r.rate.connect_us ??
		(r.connects > 0 ? r.connect_us / r.connects : null)),
], 'No backend has been connected to yet.');

const reasons = new Table('reasons', (r) => r.word, [
	word('Reason', (r) => r.word),
	number('Channels', countText, (r) => r.n),
	number('Now', rateText, (r) => r.rate, dim((r) => r.rate)),
	{ name: 'Share', kind: 'bar', value: (r) => r.share,
		text: (r) => digits(100 * r.share) + ' %' },
], 'No channel has ended yet.');

const stages = new Table('stages', stageKey, [
	word('Name', (r) => r.name),
	word('Server', (r) => r.server),
	number('Calls', countText, (r) => r.calls, dim((r) => r.calls)),
	number('Calls now', rateText, (r) => r.rate.calls,
		dim((r) => r.rate.calls)),
	number('Bytes', bytesText, (r) => r.bytes, dim((r) => r.bytes)),
	number('Bytes now', speedText, (r) => r.rate.bytes,
		dim((r) => r.rate.bytes)),
	number('Time', timeText, (r) => r.ns / 1000),
	number('A call', timeText, (r) => r.calls > 0 ?
		r.ns / 1000 / r.calls : null),
	number('Longest', timeText, (r) => r.longest_ns / 1000,
		(r) => r.longest_ns >= 50e6 ? 'bad' : ''),
], 'No server has middlewares.');

/* ---- what is known ------------------------------------------------------- */

const known = {
	stats: null,      /* the last answer, and when it came */
	at: 0,
	connects: [],     /* buckets of the last answers */
	points: [],
	states: new Map(),  /* of servers */
	backends: new Map() /* states of those */
};

/* What its connects of late say, or all when none was seen before; without any
 * it is what it was. */
function backendState(b) {
	const seen = b.rate.connects !== null && b.rate.failures !== null;
	const good = (seen ? b.rate : b).connects > 0;
	const bad = (seen ? b.rate : b).failures > 0;

	if (good && bad && seen)
		return 'failing';
	return good === bad ? known.backends.get(b.address) || NOTHING :
		good ? 'up' : 'down';
}

/* Seconds between answers: by weir's clock, which knows when they were made,
 * unless somebody has set that. */
function secondsBetween(stats, at) {
	const here = at - known.at;
	const there = stats.time_ms - known.stats.time_ms;

	return (there > here / 2 && there < here * 2 ? there : here) / 1000;
}

function statsShow(stats, at) {
	const first = known.stats === null;
	const now = compare(known.stats, stats,
		first ? 1 : Math.max(secondsBetween(stats, at), 0.001));

	known.connects = known.connects.concat([now.connect])
		.slice(-QUANTILE_ANSWERS);
	const connects = merged(known.connects);

	known.points = known.points.filter((p) => at - p.at <= SPAN_MS);
	known.points.push({ at, accepted: now.accepted, up: now.up,
		down: now.down, open: stats.totals.active,
		p50: quantile(connects, 0.5), p95: quantile(connects, 0.95) });
	known.stats = stats;
	known.at = at;
	for (const chart of Object.values(charts))
		chart.show(known.points);
	tablesShow(stats, now);
	document.title = 'weir: ' + countText(stats.totals.active) + ' open';
}

function tablesShow(stats, now) {
	const rated = (rows, rates, key) =>
		rows.map((row) => ({ ...row, rate: rates.get(key(row)) }));
	const ended = Object.entries(stats.totals.ended).filter(([, n]) => n > 0)
		.sort((a, b) => b[1] - a[1]);
	const all = ended.reduce((n, [, m]) => n + m, 0);

	servers.show(rated(stats.servers, now.servers, serverKey).map((s) =>
		({ ...s, state: known.states.get(s.name) || NOTHING })));
	servers.say(stats.servers.length > 1 ? stats.servers.length + ' servers' :
		'');
	const met = rated(stats.backends, now.backends, backendKey)
		.filter((b) => b.connects + b.failures > 0);

	known.backends = new Map(met.map((b) => [b.address, backendState(b)]));
	backends.show(met.map((b) =>
		({ ...b, state: known.backends.get(b.address) })));
	reasons.show(ended.map(([word, n]) =>
		({ word, n, share: n / all, rate: now.ended(word) })));
	stages.show(rated(stats.middlewares, now.stages, stageKey));
}

/* ---- pages of the core --------------------------------------------------- */

function statusShow(status) {
	document.getElementById('about').textContent = [status.version,
		'generation ' + status.generation,
		plural(status.workers, 'worker'),
		'pid ' + status.pid].join(' \u00b7 ');
}

/* A server is what its listeners are; of several states the worse counts. */
function listenersShow(answer) {
	const worse = ['open', 'paused', 'closed'];
	const states = new Map();

	for (const l of answer.listeners)
		if (worse.indexOf(l.state) >=
			worse.indexOf(states.get(l.server) || 'open'))
			states.set(l.server, l.state);
	known.states = states;
}

function channelsShow(answer) {
	const silent = answer.silent.length;

	channels.show(answer.channels);
	channels.say((answer.total > answer.channels.length ?
		answer.channels.length + ' of ' + digits(answer.total) : '') +
		(silent === 0 ? '' : ' (' + plural(silent, 'worker') +
			' did not answer)'));
}
