/* The smallest host: three endpoints, one selector, and the loop around every request. */
#include <lbcore/lbcore.h>
#include <stdio.h>
#include <string.h>

/* Your own transport goes here; in this example one of the three does not answer. */
static lb_result call(const char *url)
{
	return strcmp(url, "10.0.0.2:80") == 0 ? LB_REFUSED : LB_SUCCESS;
}

int main(void)
{
	lb_pool *pool;
	lb_selector *selector;

	if (lb_pool_create(&pool, NULL, NULL) != LB_OK || lb_selector_create(&selector, pool, NULL) != LB_OK)
		return 1;
	lb_pool_add(pool, "alpha", "10.0.0.1:80", 1, NULL);
	lb_pool_add(pool, "beta", "10.0.0.2:80", 1, NULL);
	lb_pool_add(pool, "gamma", "10.0.0.3:80", 2, NULL);

	for (int request = 1; request <= 12; request++) {
		lb_ticket ticket = {0};
		while (lb_select(selector, NULL, &ticket) == LB_OK) {
			lb_result result = call(ticket.url);
			printf("request %2d  %-5s  %s\n", request, ticket.name, lb_result_name(result));
			lb_report_result(selector, &ticket, result);
			if (result == LB_SUCCESS)
				break;
		}
	}
	lb_selector_destroy(selector);
	return lb_pool_destroy(pool) == LB_OK ? 0 : 1;
}
