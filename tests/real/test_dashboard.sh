#!/bin/sh
# test_dashboard.sh - the page of the extension stats, in a Chromium: it shows
# what weir does, and bears what it should never be told.
# Claims call functions by name.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

needs <<'END'
chromium chromium
chromedriver chromium-driver
python3 python3
curl curl
setpriv util-linux
ps procps
END

tests=$(cd "$(dirname "$0")" 2>/dev/null && pwd) || exit 1
shots=${SHOTS:-$scratch}

browser()
{
	timeout 60 python3 -IS "$tests/browser.py" "$@"
}

driver_start()
{
	start driver.log chromedriver --port="$port"
}

figures_start()
{
	start figures.log python3 "$tests/figures.py" "$port" page
}

api_start()
{
	weir_more="api = { listen = [ \"127.0.0.1:$api\", \"unix:front/api\" ]; };
extensions = ( { type = \"stats\"; } );"
	weir_start echo=echo pass=unix:front/echo gone=unix:front/none
}

load_start()
{
	start load.log "$builddir/tests/load" -t 30 -b 2 -B 40 -k 4 -K 200 \
		-i 20 "$(weir_port echo)" "$(weir_port pass)"
	load_id=$start_id
}

load_stop()
{
	stop "$load_id" TERM >load.end
	has load.end 'status 143$'
}

# What a script of one expression returns.
value()
{
	browser run "return $1"
}

is()
{
	browser until "return $1"
}

# The page has no figure that cannot be.
figures_are_sane()
{
	equal "$(value '(document.body.innerText.match(
		/(?:^|\s)[-\u2212]\d|NaN|undefined|null|Infinity|\[object/g) || []
		).join()')" '""'
}

# Nor is it wider than the window, in any of two sizes.
fits()
{
	set -- 'return document.documentElement.scrollWidth <= innerWidth'
	equal "$(browser size 1280 740 and run "$1" and \
		size 360 740 and run "$1" | uniq -c | tr -d ' ')" 2true
}

# The console has no error, but for connections to weir when that is away.
console_is_clean()
{
	browser log >console && has_no console .
}

console_has_only()
{
	browser log >console && has console "$1" &&
		equal "$(grep -v "$1" console)" ''
}

# A shot of theme $1 and size $2 x $3 is there, and has something on it.
picture()
{
	shot=$shots/$1-$2.png
	light=$(browser media "$1" and shot "$shot" "$2" "$3" and \
		colours "$shot") || return 1
	colours=${light% *}
	light=${light#* }
	[ "$colours" -gt 50 ] || say_not 'it has %d colours' "$colours" ||
		return 1
	case $1 in
	light) [ "$light" -gt 200 ] ;;
	dark) [ "$light" -lt 60 ] ;;
	esac || say_not '%s: its corner has %d of 255' "$1" "$light"
}

# Presses a button.
press()
{
	value "document.getElementById('$1').click()" >pressed
}

# How bright the page is, or becomes by a press of the button.
looks='return getComputedStyle(document.body).backgroundColor.match(/\d+/)[0] >
	127 ? "light" : "dark"'
press_theme="document.getElementById('theme').click(); $looks"

# What is chosen stays; what the system wants counts as long as nothing is.  The
# button has auto, light, dark.
themes()
{
	equal "$(browser media dark and run "$looks" and \
		run "$press_theme" and go "$1" and run "$looks" and \
		run "$press_theme" and media light and run "$looks" and \
		go "$1" and run "$looks" and run "$press_theme" and \
		media dark and run "$looks" | tr '\n' ' ')" \
		'"dark" "light" "light" "dark" "dark" "dark" "light" "dark" '
}

# With storage denied the button works all the same.
themes_unremembered()
{
	equal "$(browser deny and media light and go "$1" and \
		until 'return document.title.includes("open")' and \
		run "$looks" and run "$press_theme" and \
		run "$press_theme" | tr '\n' ' ')" '"light" "light" "dark" ' &&
		console_is_clean
}

page_is_whole()
{
	curl -sS -i "http://127.0.0.1:$api/" >page &&
		has page '^Content-Security-Policy: default-src .none.; ' &&
		has page '^Content-Type: text/html' &&
		has page '</html>' && has_no page '@INCLUDE' &&
		has_no page 'https\?:\|//[a-z]\|@import\|url('
}

# Nobody can know the word of the next answer.
nonces_differ()
{
	curl -sS "http://127.0.0.1:$api/" | grep -o 'nonce="[^"]*"' | sort -u \
		>nonces
	grep -o 'nonce="[^"]*"' page | sort -u >>nonces
	equal "$(sort -u nonces | wc -l)" 2
}

numbers_move()
{
	is 'known.points.filter((p) => p.accepted > 5 && p.open > 10 &&
		p.up > 0 && p.down > 0 && p.p50 > 0 && p.p95 >= p.p50
		).length >= 2' &&
		is 'document.querySelectorAll("#channels tbody tr").length > 9' &&
		is 'document.querySelector("#servers tbody").innerText
			.split("\topen\t").length === 4' &&
		is 'document.querySelector("#reasons tbody").innerText
			.includes("done")' &&
		is '/\d\/s$/.test(document.querySelector("#chart-new dd")
			.innerText)' &&
		is '/generation 1 .* 2 workers/.test(
			document.getElementById("about").innerText)'
}

# Table $1 has a row that begins with cells $2.
row()
{
	is "poll.turn(), /^$2\\t/m.test(document.querySelector('#$1 tbody').innerText)"
}

# One has nobody listening, the other is that of the load.
backends_have_states()
{
	curl -sS "http://127.0.0.1:$(weir_port gone)/" >refused 2>&1
	row backends 'unix:front\/none\tdown\t0\t0' &&
		row backends 'unix:front\/echo\tup'
}

order()
{
	curl -sS --unix-socket front/api -X POST \
		"http://weir/v1/servers/gone/$1" >ordered
	value 'sides[0].next = 0' >ordered
}

servers_have_states()
{
	order pause && row servers 'gone\tpaused' && order resume &&
		row servers 'gone\topen'
}

# Who hears the page, or has no mouse.
all_is_named()
{
	equal "$(value '[...document.querySelectorAll("svg")].every((svg) =>
		/now .* between /.test(svg.getAttribute("aria-label"))) &&
		[...document.querySelectorAll("th")].every((th) => th.scope) &&
		[...document.querySelectorAll("table")].every((table) =>
			table.caption.textContent !== "") &&
		[...document.querySelectorAll("button")].every((button) =>
			button.textContent !== "" && button.tabIndex === 0) &&
		document.querySelectorAll(".scroll:not([tabindex=\"0\"])")
			.length === 0')" true
}

rows_sort()
{
	equal "$(value '(() => {
		const [name] = document.querySelectorAll("#servers thead th");
		const first = () => document.querySelector("#servers tbody th")
			.innerText;
		name.firstChild.click();
		const up = name.ariaSort + first();
		name.firstChild.click();
		const down = name.ariaSort + first();
		name.firstChild.click();
		return up + " " + down + " " + name.ariaSort;
	})()')" '"ascendingecho descendingpass null"'
}

# Nothing is asked while nobody looks, and at once when somebody does again.
sleeps_when_hidden()
{
	value '(() => {
		window.hides = (hidden) => {
			Object.defineProperty(document, "hidden",
				{ value: hidden, configurable: true });
			document.dispatchEvent(new Event("visibilitychange"));
		};
		window.asked = () =>
			performance.getEntriesByType("resource").length;
		hides(true);
	})()' >hidden
	is '!poll.busy && !sides.some((side) => side.busy) &&
		(window.then = performance.now(), window.before = asked(), 1)' &&
		is 'performance.now() > then + 1200' &&
		equal "$(value 'asked() - before')" 0 &&
		value 'hides(false)' >hidden && is 'asked() > before'
}

banner_comes()
{
	is '!document.getElementById("banner").hidden &&
		/^Weir cannot be reached, since \d\d:/.test(
			document.querySelector("[role=alert]").textContent)'
}

banner_goes()
{
	is 'document.getElementById("banner").hidden &&
		document.querySelector("[role=alert]").textContent === "" &&
		!document.documentElement.classList.contains("old")'
}

# It asks less often: of the last two tries the second came late.
backs_off()
{
	is '(() => {
		const at = performance.getEntriesByType("resource").filter((e) =>
			e.name.endsWith("/v1/stats")).map((e) => e.startTime);
		return at.at(-1) - at.at(-2) > 1350 && poll.failures > 2;
	})()'
}

# The figures that the page is shown from now on.
scenario()
{
	echo "$1" >scenario.new && mv scenario.new scenario
}

# The page has had three answers of scenario $1, which "$2" tells.
shows()
{
	scenario "$1"
	is "poll.turn(), ($2) && (window.shown = (window.shown || known.at)) &&
		known.points.filter((p) => p.at > shown).length >= 2 &&
		delete window.shown"
}

hostile_is_text()
{
	shows hostile 'known.stats.servers.length === 1' &&
		is '["servers", "channels", "backends", "reasons", "stages"]
			.every((id) => document.querySelector("#" + id + " tbody")
				.textContent.includes(
				"</script><script>document.title"))' &&
		is 'document.getElementById("about").textContent.includes("<img")' &&
		equal "$(value 'document.querySelectorAll("img, b, script")
			.length + document.title')" '"1weir: 3 open"'
}

# The rest of the page goes on without.
channels_are_refused()
{
	shows locked 'known.stats.servers.length === 2' &&
		is '(sides[1].next = 0, poll.turn(), 1) &&
			document.querySelector("#channels .note").textContent
			.startsWith("not known now: weir cannot say: </script>") &&
			document.querySelector("#channels table.old")' &&
		is 'document.getElementById("banner").hidden'
}

# What weir refuses with is text, too.
hostile_error_is_text()
{
	scenario refused
	is 'document.querySelector("[role=alert]").textContent
		.includes("<script>document.title")' &&
		equal "$(value 'document.querySelectorAll("img, b, script")
			.length + document.title')" '"1weir: no answer"'
}

stranger_is_seen()
{
	scenario garbage
	press again
	is 'document.querySelector("[role=alert]").textContent
		.startsWith("What answers here is not weir")'
}

many_are_shown()
{
	shows many 'known.stats.servers.length === 200' &&
		row backends '\[fd00:1111:2222:3333::0\]:65535\tfailing' &&
		is 'document.querySelectorAll("#servers tbody tr").length === 200' &&
		is '(sides[1].next = 0, poll.turn(), 1) &&
			document.querySelector("#channels .note").textContent ===
			"10 of 10,000 (1 worker did not answer)"'
}

# Servers go and come: what is left has its rates, without a jump.
reload_is_seen()
{
	shows reloaded 'known.stats.servers.length === 110' &&
		is 'document.querySelectorAll("#servers tbody tr").length === 110' &&
		equal "$(value 'known.points.filter((p) => p.accepted !== null &&
			(p.accepted < 0 || p.accepted > 400000)).length')" 0
}

# All counters are less than before: for a moment there is no rate.
restart_is_seen()
{
	shows restarted 'known.stats.servers[0].accepted < 1e6' &&
		equal "$(value 'known.points.some((p) => p.accepted === null &&
			p.up === null && p.p50 !== undefined) &&
			known.points.every((p) => !(p.accepted < 0 || p.up < 0 ||
				p.down < 0 || p.p50 < 0))')" true
}

emptiness_is_told()
{
	shows empty 'known.stats.servers.length === 0' &&
		is '(sides[1].next = 0, poll.turn(), 1) &&
			document.body.innerText.includes("There are no servers.") &&
			document.body.innerText.includes("No channel is open.")'
}

# Never all of ten thousand channels, nothing that changes anything.
asks_little()
{
	grep -v '^/v1/\(stats\|status\|listeners\)$' asked | sort -u >asked.else
	equal "$(tr '\n' ' ' <asked.else)" \
		'/ /v1/channels?sort=rate&reverse=1&limit=10&rate_ms=500 '
}

api=$("$AID" port)
must 'weir starts' api_start
must 'a load starts' load_start
claim 'the page is one text, with nothing from elsewhere' page_is_whole
claim 'its scripts have another word each time' nonces_differ
must 'chromedriver starts' start_on_port driver_start
WEBDRIVER=$port
export WEBDRIVER
trap 'browser close >/dev/null 2>&1; leave' EXIT
must 'the page opens' browser open "http://127.0.0.1:$api/"
claim 'its numbers move under load' numbers_move
claim 'a backend that cannot be reached is down' backends_have_states
claim 'a server that is paused says so' servers_have_states
for theme in light dark; do
	claim "a phone can show it, $theme" picture "$theme" 360 740
	claim "a screen can show it, $theme" picture "$theme" 1280 900
done
claim 'it fits' fits
claim 'its figures are sane' figures_are_sane
claim 'all has a name' all_is_named
claim 'rows are sorted by a press' rows_sort
claim 'a theme is chosen and stays' themes "http://127.0.0.1:$api/"
claim 'it asks nothing while it is hidden' sleeps_when_hidden
claim 'the console has no error' console_is_clean
claim 'the load has gone on until now' load_stop
weir_stop
claim 'a banner comes when weir is gone' banner_comes
claim 'it asks less and less often' backs_off
must 'weir starts again' api_start
claim 'the banner goes' banner_goes
claim 'the console has nothing else' console_has_only ERR_CONNECTION_REFUSED
claim 'no rate is negative after a start' figures_are_sane
weir_stop

must 'figures that weir would hardly have are served' \
	start_on_port figures_start
scenario hostile
must 'the same page shows them' browser go "http://127.0.0.1:$port/"
browser log >console.before
claim 'hostile names are text' hostile_is_text
claim 'they fit' fits
claim 'channels that may not be seen are no fault' channels_are_refused
claim 'a hostile error is text' hostile_error_is_text
claim 'a stranger in the place of weir is seen' stranger_is_seen
claim 'the console only has what was refused' console_has_only \
	'v1/stats .* 503\|v1/channels?.* 401'
claim '200 servers are shown' many_are_shown
claim 'they fit, too' fits
claim 'a reload is no fall and no jump' reload_is_seen
claim 'counters that begin again have no rate' restart_is_seen
claim 'their figures are sane' figures_are_sane
claim 'where nothing is, that is told' emptiness_is_told
claim 'no figure is made up of nothing' figures_are_sane
claim 'it asks for little' asks_little
claim 'a choice that cannot be stored works' \
	themes_unremembered "http://127.0.0.1:$port/"
browser close
finish
