# sum.awk - adds up results of tests (.trs files): "PASSED FAILED".  A suite
# that failed as a whole (it crashed, or ran nothing) counts as one failed test
# when no case of it does; so do all, unless -v ok=1 says that make was content.
FNR == 1 { suite_end() }
/^:test-result: (PASS|XFAIL)/ { pass++ }
/^:test-result: (FAIL|XPASS|SKIP)/ { fail++; cases++ }
/^:test-result: ERROR/ { error++ }

function suite_end()
{
	if (error && !cases)
		fail++
	error = cases = 0
}

END {
	suite_end()
	if (!pass || (!ok && !fail))
		fail++
	print pass + 0, fail + 0
}
