#!/bin/sh
# test_nginx.sh - curl and wrk to nginx: pages, uploads, many at once.
# Claims call functions by name.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

needs <<'END'
curl curl
wrk wrk
nginx nginx
setpriv util-linux
ps procps
END

nginx_conf()
{
	cat <<END
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
	log_format short '\$remote_addr \$connection \$status \$request';
	client_body_temp_path temp.client_body;
	proxy_temp_path temp.proxy;
	fastcgi_temp_path temp.fastcgi;
	uwsgi_temp_path temp.uwsgi;
	scgi_temp_path temp.scgi;
	client_max_body_size 1g;
	keepalive_requests 1000000;
	default_type application/octet-stream;
	root pages;
	server {
		listen 127.0.0.1:$port;
		listen unix:nginx.sock;
		access_log logs/access short;
		location / { }
		# What is posted to /post/NAME becomes the file store/NAME.
		location /post/ {
			proxy_method PUT;
			proxy_pass http://unix:store.sock:/;
		}
	}
	server {
		listen unix:store.sock;
		access_log off;
		root store;
		location / { dav_methods PUT; }
	}
}
END
}

nginx_start()
{
	rm -f ./*.sock
	nginx_conf >nginx.conf
	start_server nginx.log nginx -p "$scratch" -c nginx.conf
	nginx_id=$start_id
}

# What nginx served to those from $1: weir comes from 127.0.0.2, or by unix.
served()
{
	sed -n "s/^$1 //p" logs/access
}

# How many connections these were.
connections()
{
	served "$1" | cut -d ' ' -f 1 | sort -u | wc -l
}

# curl over way $1 (direct, tcp, unix) to path $2, with more options.
fetch()
{
	fetch_way=$1
	fetch_path=$2
	shift 2
	case $fetch_way in
	direct) set -- "$@" "http://127.0.0.1:$port$fetch_path" ;;
	tcp) set -- "$@" "http://127.0.0.1:$(weir_port tcp)$fetch_path" ;;
	unix) set -- --unix-socket front/unix "$@" \
		"http://127.0.0.1$fetch_path" ;;
	esac
	curl -q -sS --fail --max-time 60 -H 'Host: weir.test' "$@"
}

# Fetches page $2 over way $1 into body.$1, its headers into head.$1.
page_get()
{
	fetch "$1" "/$2" -D head -o "body.$1" || return 1
	# The one header that is another one at another time.
	sed '/^Date:/d' head >"head.$1"
}

# Is page $2 over way $1 what it is directly?
page_like_direct()
{
	page_get direct "$2" && page_get "$1" "$2" &&
		same head.direct "head.$1" && cmp body.direct "body.$1" &&
		cmp "pages/$2" "body.$1"
}

page_ended_by_nginx()
{
	fetch "$1" /1m --http1.0 -o body && same pages/1m body
}

# A hundred requests, and how many connections they took.
page_kept_alive()
{
	fetch "$1" '/1k?[1-100]' -o 'kept.#1' -w '%{num_connects}\n' >connects ||
		return 1
	equal "$(awk '{ n += $1 } END { print NR, n }' connects)" '100 1' &&
		cat kept.* >kept && for _ in kept.*; do
		cat pages/1k
	done >want && same want kept && rm kept.*
}

pages_at_once()
{
	fetch "$1" '/1m?[1-40]' -Z --parallel-max 20 -o 'many.#1' || return 1
	equal "$(find . -name 'many.*' | wc -l)" 40 || return 1
	for many in many.*; do
		same pages/1m "$many" || return 1
	done
	rm many.*
}

# A client that leaves in the middle; the next one must not notice.
page_cut_short()
{
	fetch "$1" /100m 2>curl.err | head -c 100000 >body
	head -c 100000 pages/100m >want
	same want body && has curl.err '^curl: (23)' && page_like_direct "$1" 1k
}

upload()
{
	rm -f store/upload
	equal "$(fetch "$1" /post/upload --data-binary @upload \
		-H 'Content-Type:' -w '%{http_code}')" 201 &&
		same upload store/upload
}

# Uploads and pages at the same time.
both_ways()
{
	upload "$1" >upload.out 2>&1 &
	uploader=$!
	pages_at_once "$1"
	pages=$?
	wait "$uploader"
	uploads=$?
	cat upload.out
	return $((pages + uploads))
}

# Loads page $2 over way $1 for two seconds.
load()
{
	case $1 in
	direct) load_port=$port ;;
	*) load_port=$(weir_port "$1") ;;
	esac
	wrk -t 2 -c 32 -d 2s --timeout 20s \
		"http://127.0.0.1:$load_port/$2" >wrk.out &&
		has wrk.out ' requests in ' &&
		has_no wrk.out 'Socket errors\|Non-2xx\| 0 requests in '
}

mkdir pages store
chown "$someone" store
head -c 50000000 /dev/urandom >upload
head -c 100000000 /dev/urandom >pages/100m
head -c 1000000 pages/100m >pages/1m
head -c 65537 pages/100m >pages/64k
head -c 1000 pages/100m >pages/1k
head -c 1 pages/100m >pages/1
: >pages/0

must 'nginx starts' start_on_port nginx_start
must 'weir starts' weir_start "tcp=127.0.0.1:$port" unix=unix:nginx.sock
for way in tcp unix; do
	for page in 0 1 1k 64k 1m 100m; do
		claim "$way: page $page is like direct, and so are its headers" \
			page_like_direct "$way" "$page"
	done
	claim "$way: a page whose end is the end of the connection" \
		page_ended_by_nginx "$way"
done
for way in direct tcp unix; do
	claim "$way: a hundred requests in one connection" \
		page_kept_alive "$way"
	claim "$way: 20 connections at once" pages_at_once "$way"
	claim "$way: 50 MB posted arrive" upload "$way"
	claim "$way: uploads and pages at once" both_ways "$way"
done
for page in 1k 1m; do
	claim "direct: wrk of page $page has no errors" load direct "$page"
	claim "tcp: wrk of page $page has no errors" load tcp "$page"
done
claim 'tcp: a client that leaves in the middle' page_cut_short tcp
weir_stop
claim 'nginx ends with status 0' stop "$nginx_id" QUIT
claim 'nginx gave only what was asked for' \
	equal "$(grep -v -c ' 20[01] ' logs/access)" 0
claim 'unix: all channels are done' as_many \
	"$(weir_channels unix)" "$(weir_channels unix reason=done)"
claim 'unix: one access line for each connection' as_many \
	"$(weir_channels unix up=[1-9])" "$(connections unix:)"
# wrk looks first whether it can connect, and asks for nothing.
claim 'tcp: one access line for each connection' as_many \
	"$(weir_channels tcp up=[1-9])" "$(connections 127.0.0.2)"
claim 'tcp: a channel was reset by the client that left' \
	has logs/weir.log 'server=tcp .*reason=reset by=client'
finish
