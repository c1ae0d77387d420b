/* main.js - what people can press, and the start. */
const THEMES = ['auto', 'light', 'dark'];

/* Storage may be denied: then the choice lasts as long as the page. */
function remembered() {
	try {
		return localStorage.getItem('weir.theme');
	} catch (e) {
		return null;
	}
}

function remember(theme) {
	try {
		localStorage.setItem('weir.theme', theme);
	} catch (e) {
		return;
	}
}

function themeSet(theme) {
	const button = document.getElementById('theme');

	if (theme === 'auto')
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	button.value = theme;
	button.textContent = 'Theme: ' + theme;
}

const poll = new Poll();

document.getElementById('theme').addEventListener('click', (e) => {
	const next = (THEMES.indexOf(e.target.value) + 1) % THEMES.length;

	themeSet(THEMES[next]);
	remember(THEMES[next]);
});
document.getElementById('pause').addEventListener('click', (e) => {
	poll.pause(!poll.paused);
	e.target.setAttribute('aria-pressed', poll.paused);
});
document.getElementById('again').addEventListener('click', () => poll.turn());
document.addEventListener('visibilitychange', () => poll.turn());
themeSet(THEMES.includes(remembered()) ? remembered() : 'auto');
poll.turn();
