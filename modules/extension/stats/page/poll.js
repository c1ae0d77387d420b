/* poll.js - asks weir, again and again, unless nobody looks. */
const EVERY_MS = 1000;
const WAIT_MS = 5000;       /* for an answer */
const RETRY_MOST_MS = 15000;
const RETRY_GROWTH = 1.5;
const CORE_EVERY_MS = 5000;
const CHANNELS_EVERY_MS = 2000;
const CHANNELS_SHARE = 10;  /* their answer may take so much of the time */
const CHANNELS = 'v1/channels?sort=rate&reverse=1&limit=10&rate_ms=500';

async function ask(path) {
	const giveUp = new AbortController();
	const timer = setTimeout(() => giveUp.abort(), WAIT_MS);
	let answer, text;

	try {
		answer = await fetch(path, { cache: 'no-store',
			signal: giveUp.signal });
		text = await answer.text();
	} catch (e) {
		throw new Error(giveUp.signal.aborted ?
			'weir does not answer' : 'weir cannot be reached');
	} finally {
		clearTimeout(timer);
	}
	if (answer.ok)
		try {
			return JSON.parse(text);
		} catch (e) {
			throw new Error('what answers here is not weir');
		}
	throw new Error('weir cannot say: ' + said(text, answer.status));
}

/* The sentence of an error, see weir-api(7). */
function said(text, status) {
	try {
		return JSON.parse(text).error || status;
	} catch (e) {
		return text.slice(0, 200) || status;
	}
}

/* Asks for more than one page at their own pace; what fails is told, and asked
 * for again. */
class Side {
	constructor(every, work, failed) {
		this.every = every;
		this.work = work;
		this.failed = failed;
		this.next = 0;
		this.busy = false;
	}

	async turn(now) {
		if (this.busy || now < this.next)
			return;
		this.busy = true;
		try {
			await this.work();
		} catch (e) {
			this.failed(e);
		}
		this.busy = false;
		this.next = Math.max(now + this.every, performance.now() +
			CHANNELS_SHARE * Math.max(0,
				performance.now() - now - this.every));
	}
}

const sides = [
	new Side(CORE_EVERY_MS, async () => {
		statusShow(await ask('v1/status'));
		listenersShow(await ask('v1/listeners'));
	}, () => known.states.clear()),
	new Side(CHANNELS_EVERY_MS, async () => channelsShow(await ask(CHANNELS)),
		(e) => channels.say('not known now: ' + e.message, true)),
];

class Poll {
	constructor() {
		this.failures = 0;
		this.since = null; /* when it began to fail */
		this.timer = null;
		this.busy = false;
		this.paused = false;
	}

	async turn() {
		const begun = performance.now();

		clearTimeout(this.timer);
		if (this.busy || this.paused || document.hidden)
			return;
		this.busy = true;
		try {
			statsShow(await ask('v1/stats'), performance.now());
			this.works();
		} catch (e) {
			this.fails(e);
		}
		this.busy = false;
		this.plan(begun);
	}

	plan(begun) {
		const ms = this.failures === 0 ? EVERY_MS :
			Math.min(RETRY_MOST_MS, EVERY_MS *
				RETRY_GROWTH ** (this.failures - 1));
		const left = begun + ms - performance.now();

		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.turn(), Math.max(50, left));
	}

	works() {
		this.failures = 0;
		this.since = null;
		bannerHide();
		for (const side of sides)
			side.turn(performance.now());
	}

	fails(e) {
		this.failures++;
		this.since = this.since || new Date();
		bannerShow(e.message + ', since ' +
			this.since.toLocaleTimeString('en-GB') +
			'. The figures are of before then; it is tried again ' +
			'until weir answers.');
		document.title = 'weir: no answer';
	}

	pause(paused) {
		this.paused = paused;
		this.turn();
	}
}

/* A text that stays is not told again to those who listen. */
function bannerShow(text) {
	const p = document.getElementById('banner-text');

	text = text[0].toUpperCase() + text.slice(1);
	document.getElementById('banner').hidden = false;
	document.documentElement.classList.add('old');
	if (p.textContent !== text)
		p.textContent = text;
}

function bannerHide() {
	document.getElementById('banner').hidden = true;
	document.getElementById('banner-text').textContent = '';
	document.documentElement.classList.remove('old');
}
