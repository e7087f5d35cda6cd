/* Random choices, all of them: the hook counts through the bits that decide, and the counts come out exactly. */
#include "fleet.h"

/* The numbers that the hook answers, one after another, round and round. */
typedef struct script {
	const uint64_t *numbers;
	size_t n, at;
} script;

static uint64_t next_number(void *user)
{
	script *s = user;

	return s->n == 0 ? 0 : s->numbers[s->at++ % s->n];
}

static lb_time still(void *user)
{
	(void)user;
	return 1000 * LB_SECONDS;
}

static void open_scripted(fleet *f, script *s, const fleet_plan *plan, int n, const uint32_t *weights)
{
	lb_env env;

	memset(s, 0, sizeof *s);
	lb_env_init(&env, sizeof env);
	env.user = s;
	env.now = still;
	env.random = next_number;
	fleet_open_in(f, plan, n, weights, &env);
}

static void play(script *s, const uint64_t *numbers, size_t n)
{
	s->numbers = numbers;
	s->n = n;
	s->at = 0;
}

/* The least 32 bits that choose `i` of `n`. */
static uint64_t bits_of(uint64_t i, uint64_t n)
{
	return ((i << 32) + n - 1) / n;
}

START_TEST(random_reaches_each_of_equals_alike)
{
	enum { BITS = 12 };

	for (int n = 1; n <= FLEET_MAX; n++) {
		fleet f;
		fleet_plan plan;
		script s;
		int served[FLEET_MAX] = {0};
		fleet_draw(&plan, LB_RANDOM);
		open_scripted(&f, &s, &plan, n, NULL);
		for (uint64_t high = 0; high < 1u << BITS; high++) {
			uint64_t number = high << (64 - BITS) | high * 0x9e3779b9u % UINT32_MAX;
			play(&s, &number, 1);
			served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
		}
		for (int i = 0; i < n; i++) {
			/* the numbers k with i <= k n / 2^BITS < i + 1 */
			int to = ((i + 1) * (1 << BITS) + n - 1) / n, from = (i * (1 << BITS) + n - 1) / n;
			ck_assert_int_eq(served[i], to - from);
		}
		fleet_close(&f);
	}
}
END_TEST

/* Of each entry of the alias table as many steps as the weights say. */
START_TEST(random_reaches_each_by_its_weight)
{
	enum { STEPS = 720 };
	static const uint32_t sets[][6] = {
	    {1, 2, 3, 4, 5, 6}, {1, 1, 1, 1, 1, 100}, {1000, 1, 1, 1, 1, 1}, {7, 7, 7, 7, 7, 8}};

	for (size_t set = 0; set < 4; set++) {
		for (uint64_t n = 2; n <= 6; n++) {
			fleet f;
			fleet_plan plan;
			script s;
			double all = 0, served[6] = {0};
			fleet_draw(&plan, LB_RANDOM);
			open_scripted(&f, &s, &plan, (int)n, sets[set]);
			for (uint64_t i = 0; i < n * STEPS; i++) {
				uint64_t number =
				    bits_of(i % n, n) << 32 | bits_of(2 * (i / n) + 1, 2 * STEPS);
				play(&s, &number, 1);
				served[fleet_pick(&f, NULL, LB_SUCCESS)]++;
			}
			for (uint64_t i = 0; i < n; i++)
				all += sets[set][i];
			/* each entry's border may be off by a step */
			for (uint64_t i = 0; i < n; i++)
				ck_assert_double_eq_tol(served[i], (double)(n * STEPS) * sets[set][i] / all,
							(double)n);
			fleet_close(&f);
		}
	}
}
END_TEST

/* Each ordered pair of two once: with loads all different, who is chosen how often follows. */
START_TEST(two_choices_see_each_pair_once)
{
	for (int n = 2; n <= 32; n++) {
		fleet f;
		fleet_plan plan;
		script s;
		int idle[FLEET_MAX] = {0}, busy[FLEET_MAX] = {0};
		static lb_ticket held[1024];
		int open = 0;
		fleet_draw(&plan, LB_TWO_CHOICES);
		plan.pool.tickets_max = 1024;
		open_scripted(&f, &s, &plan, n, NULL);
		for (int round = 0; round < 2; round++) {
			for (uint64_t a = 0; a < (uint64_t)n; a++) {
				for (uint64_t b = 0; b + 1 < (uint64_t)n; b++) {
					uint64_t number =
					    bits_of(a, (uint64_t)n) << 32 | bits_of(b, (uint64_t)n - 1);
					play(&s, &number, 1);
					(round == 0 ? idle : busy)[fleet_pick(&f, NULL, LB_SUCCESS)]++;
				}
			}
			/* endpoint i holds i requests */
			for (int i = 0; i < n && round == 0; i++)
				for (int k = 0; k < i; k++) {
					held[open] = (lb_ticket){0};
					fleet_select(&f, &(lb_request){.prefer = f.e[i]}, &held[open++]);
				}
		}
		for (int i = 0; i < n; i++) {
			ck_assert_int_eq(idle[i], n - 1);
			ck_assert_int_eq(busy[i], 2 * (n - 1 - i));
		}
		fleet_close(&f);
	}
}
END_TEST

/* A retry's draws all name the one that was tried; then the rest is dealt, each of them alike: 1 of 2, then 1 of 3. */
START_TEST(refused_turns_are_dealt_evenly)
{
	fleet f;
	fleet_plan plan;
	script s;
	int served[4] = {0};

	fleet_draw(&plan, LB_RANDOM);
	open_scripted(&f, &s, &plan, 4, NULL);
	for (uint64_t second = 0; second < 12; second++) {
		for (uint64_t third = 0; third < 12; third++) {
			uint64_t numbers[32] = {0};
			lb_ticket ticket = {0};
			play(&s, numbers, 32);
			ck_assert_int_eq(fleet_select(&f, NULL, &ticket), 0);
			ck_ok(lb_report_result(f.selector, &ticket, LB_FAILURE));
			/* four draws in vain; then a number for each but the first, and one more for a change */
			bool changes = second < 6;
			numbers[4] = bits_of(second, 12) << 32;
			numbers[changes ? 6 : 5] = bits_of(third, 12) << 32;
			play(&s, numbers, 32);
			served[fleet_select(&f, NULL, &ticket)]++;
			ck_ok(lb_report_result(f.selector, &ticket, LB_SUCCESS));
		}
	}
	ck_assert_int_eq(served[0], 0);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(served[i], 48);
	fleet_close(&f);
}
END_TEST

/* 35 % of priority 0 are usable: 1.4 x 5 of 20 endpoints. */
START_TEST(priorities_get_their_hundredths)
{
	fleet f;
	fleet_plan plan;
	script s;
	int first = 0;

	fleet_draw(&plan, LB_RANDOM);
	open_scripted(&f, &s, &plan, 20, NULL);
	for (int i = 20; i < 22; i++) {
		lb_endpoint_config config;
		lb_endpoint_config_init(&config, sizeof config);
		config.name = i == 20 ? "x" : "y";
		config.priority = 1;
		ck_ok(lb_pool_add_endpoint(f.pool, &config, &f.e[i]));
	}
	for (int i = 0; i < 15; i++)
		ck_ok(lb_pool_set_health(f.pool, f.e[i], LB_UNHEALTHY));
	for (uint64_t mark = 0; mark < 100; mark++) {
		uint64_t numbers[2] = {mark, mark << 32};
		play(&s, numbers, 2);
		first += fleet_pick(&f, NULL, LB_SUCCESS) < 20;
	}
	ck_assert_int_eq(first, 35);
	fleet_close(&f);
}
END_TEST

/* The outermost numbers reach the first and the last, of any size. */
START_TEST(the_ends_are_reached)
{
	static const lb_algorithm algorithms[] = {LB_RANDOM, LB_TWO_CHOICES};

	for (int n = 1; n <= FLEET_MAX; n++)
		for (int skewed = 0; skewed < 2; skewed++)
			for (int a = 0; a < 2; a++) {
				fleet f;
				fleet_plan plan;
				script s;
				uint32_t weights[FLEET_MAX];
				uint64_t zero = 0, ones = UINT64_MAX;
				for (int i = 0; i < n; i++)
					weights[i] = skewed ? 1 + (uint32_t)(i % 2) : 1;
				fleet_draw(&plan, algorithms[a]);
				open_scripted(&f, &s, &plan, n, weights);
				play(&s, &zero, 1);
				int low = fleet_pick(&f, NULL, LB_SUCCESS);
				play(&s, &ones, 1);
				int high = fleet_pick(&f, NULL, LB_SUCCESS);
				ck_assert(low >= 0 && high >= 0 && high < n);
				if (!skewed)
					ck_assert(low == 0 && high == n - 1);
				fleet_close(&f);
			}
}
END_TEST

Suite *suite_enumeration(void)
{
	Suite *suite = suite_create("enumeration");
	TCase *tc = tcase_create("enumeration");

	tcase_add_test(tc, random_reaches_each_of_equals_alike);
	tcase_add_test(tc, random_reaches_each_by_its_weight);
	tcase_add_test(tc, two_choices_see_each_pair_once);
	tcase_add_test(tc, refused_turns_are_dealt_evenly);
	tcase_add_test(tc, priorities_get_their_hundredths);
	tcase_add_test(tc, the_ends_are_reached);
	suite_add_tcase(suite, tc);
	return suite;
}
