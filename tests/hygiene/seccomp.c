/* Under strict seccomp only read, write and exit are allowed: a million selects and reports, with a clock of the host's. */
#define _GNU_SOURCE
#include <lbcore/lbcore.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static lb_time now = 1000;

static lb_time host_clock(void *user)
{
	(void)user;
	return now += 100;
}

static void leave(int code)
{
	syscall(SYS_exit, code);
}

int main(void)
{
	lb_env env;
	lb_pool *pool;
	lb_selector *selectors[6];
	lb_ticket ticket = {0};

	lb_env_init(&env, sizeof env);
	env.now = host_clock;
	if (lb_pool_create(&pool, &(lb_pool_config){0}, &env) != LB_EVERSION)
		return 2;
	lb_pool_config config;
	lb_pool_config_init(&config, sizeof config);
	config.selectors_max = 6;
	if (lb_pool_create(&pool, &config, &env) != LB_OK)
		return 3;
	for (int i = 0; i < 6; i++) {
		lb_selector_config selection;
		lb_selector_config_init(&selection, sizeof selection);
		selection.algorithm = (lb_algorithm)i;
		if (lb_selector_create(&selectors[i], pool, &selection) != LB_OK)
			return 4;
	}
	for (char c = 'a'; c < 'k'; c++)
		lb_pool_add(pool, (char[]){c, 0}, "", 1, NULL);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		return 5;
	for (int i = 0; i < 1000000; i++) {
		lb_selector *selector = selectors[i % 6];
		if (lb_select(selector, NULL, &ticket) != LB_OK)
			leave(6);
		/* failures, too: breakers open, half open and close on the way */
		lb_report_result(selector, &ticket, i % 97 == 0 ? LB_FAILURE : LB_SUCCESS);
		ticket.attempts = 0;
	}
	leave(0);
}
