#!/bin/bash
# Runs inside the bare system, in a fresh clone: inside.sh run|install|test. Prints what a person would look at.
set -euo pipefail
cd ~/sitematch

case $1 in
  run)
    set -m # a process group of its own, as a terminal's jobs have
    make run PORT=8765 >~/run.out 2>&1 &
    for _ in $(seq 600); do
      if python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8765/readyz")' 2>/dev/null; then break; fi
      if ! kill -0 $! 2>/dev/null; then cat ~/run.out; exit 1; fi
      sleep 2
    done
    python3 -c 'import urllib.request as u; assert b"</html>" in u.urlopen("http://127.0.0.1:8765/").read()'
    # As Ctrl-C does: every process of the job.
    set +e
    kill -INT -- "-$!"
    wait $!
    set -e
    grep -q "Open http://127.0.0.1:8765/ in a browser" ~/run.out
    test "$(make -n run PORT=8765)" = "python3 tools/free_port.py 8765
.venv/bin/sitematch match 33180 --country US
.venv/bin/sitematch serve --port 8765"
    ;;
  install)
    python3 -m venv ~/plain
    ~/plain/bin/python -m pip --disable-pip-version-check install --quiet .
    mkdir -p ~/elsewhere && cd ~/elsewhere
    ~/plain/bin/sitematch match 33180 --country US --limit 1
    du -sm ~/plain
    ;;
  test)
    make test
    du -sm ~/sitematch ~/.npm 2>/dev/null
    ;;
esac
