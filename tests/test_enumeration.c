/*
 * Random choices, all of them: the hook counts through the bits that decide, and the counts come out exactly.
 *
 * A draw by weight takes the high 32 bits of a number for a place of the tier and the low 32 bits for one of the two
 * endpoints that share the place: below a border the place's own, from there on the other. So all 2^64 numbers are known
 * when each place's border is: it is searched for, and what lies on both sides of it is counted. Rounding: each border
 * lies up to one number of 2^32 too high, never too low.
 */
#include "fleet.h"
#include "script.h"

static const uint64_t lows = UINT64_C(1) << 32;

/* Weights of all kinds. */
typedef enum shape { RISING, ONE_HEAVY, POWERS, ONE_LIGHT, LARGE, SHAPES } shape;

static uint32_t weight_of(shape kind, int i, int n)
{
	switch (kind) {
	case RISING:
		return 1 + (uint32_t)i;
	case ONE_HEAVY:
		return i == n / 3 ? 1000 : 1;
	case POWERS:
		return UINT32_C(1) << i % 21;
	case ONE_LIGHT:
		return i == n / 2 ? 1 : 1000;
	default:
		return LB_WEIGHT_MAX - 977 * (uint32_t)i;
	}
}

/* Returns the sum. */
static uint64_t weigh(uint32_t *weights, shape kind, int n)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += weights[i] = weight_of(kind, i, n);
	return sum;
}

/* Each size; in slow company a few. */
static int next_size(int n)
{
	return rounds(1000) == 1000 ? n + 1 : n + 1 + n / 2;
}

static void open_scripted(fleet *f, script *s, const fleet_plan *plan, int n, const uint32_t *weights)
{
	lb_env env = script_env(s);

	fleet_open_in(f, plan, n, weights, &env);
}

/* A request that draws these numbers, and again from the first if it wants more; it tells nothing of the endpoint. */
static int pick_by(fleet *f, script *s, const uint64_t *numbers, size_t n)
{
	script_play(s, numbers, n);
	return fleet_pick(f, NULL, LB_CANCELLED);
}

/* The first number that draws place `i` of `n`, and there the place's own endpoint. */
static uint64_t number_of(int i, int n)
{
	return script_bits((uint64_t)i, (uint64_t)n) << 32;
}

START_TEST(random_reaches_each_of_equals_alike)
{
	enum { BITS = 12 };

	for (int n = 1; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		int served[FLEET_MAX] = {0};
		fleet_draw(&plan, LB_RANDOM);
		open_scripted(&f, &s, &plan, n, NULL);
		for (uint64_t high = 0; high < 1u << BITS; high++) {
			uint64_t number = high << (64 - BITS) | high * 0x9e3779b9u % UINT32_MAX;
			served[pick_by(&f, &s, &number, 1)]++;
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

/* What one place of a table stands for: of its 2^32 low bits so many are its own endpoint's, the others another's. */
typedef struct place {
	int own, other;
	uint64_t border;
} place;

/* Numbers that differ in the low bits alone. */
static int pick_low(fleet *f, script *s, uint64_t high, uint64_t low)
{
	uint64_t number = high | low;

	return pick_by(f, s, &number, 1);
}

static place measure_place(fleet *f, script *s, int i, int n)
{
	uint64_t high = number_of(i, n), low = 0, above = lows - 1;
	place p = {pick_low(f, s, high, 0), pick_low(f, s, high, above), lows};

	/* from its first number to its last */
	if (p.own != i || pick_low(f, s, number_of(i + 1, n) - lows, 0) != i)
		ck_abort_msg("place %d of %d: %d", i, n, p.own);
	if (p.other == p.own)
		return p;
	while (above - low > 1) {
		uint64_t middle = (low + above) / 2;
		if (pick_low(f, s, high, middle) == p.own)
			low = middle;
		else
			above = middle;
	}
	p.border = above;
	for (uint64_t part = 1; part < 8; part++)
		if (pick_low(f, s, high, p.border * part / 8) != p.own ||
		    pick_low(f, s, high, p.border + (lows - p.border) * part / 8) != p.other)
			ck_abort_msg("place %d of %d has more than one border", i, n);
	return p;
}

static void measure(fleet *f, script *s, int n, place *places)
{
	for (int i = 0; i < n; i++)
		places[i] = measure_place(f, s, i, n);
}

/* Of n x 2^32 each has its part by weight: its own border up to 1 too high, and so may be those of which it has the rest. */
static void check_places(const place *places, const uint32_t *weights, int n, uint64_t sum)
{
	uint64_t counts[FLEET_MAX] = {0}, rests[FLEET_MAX] = {0};

	for (int i = 0; i < n; i++) {
		counts[places[i].own] += places[i].border;
		counts[places[i].other] += lows - places[i].border;
		rests[places[i].other] += places[i].other != places[i].own;
	}
	for (int i = 0; i < n; i++) {
		uint64_t due = weights[i] * (uint64_t)n * lows, got = counts[i] * sum;
		if (got > due + sum || got + rests[i] * sum < due)
			ck_abort_msg("%d of %d: %.3f of 2^32, not %.3f", i, n, (double)counts[i],
				     (double)due / (double)sum);
	}
}

/* One request is measured to have taken so long. */
static void answer_in(fleet *f, int number, lb_span latency)
{
	lb_ticket ticket = {0};

	ck_assert_int_eq(fleet_select(f, &(lb_request){.prefer = f->e[number]}, &ticket), number);
	ck_ok(lb_report(f->selector, &ticket, &(lb_outcome){.latency = latency}));
}

/* Algorithms that begin with a draw; of those drawn that are alike, the first is chosen. */
static const struct drawing {
	lb_algorithm algorithm;
	uint32_t choices;
} drawings[] = {
    {LB_RANDOM, 2}, {LB_TWO_CHOICES, 2}, {LB_TWO_CHOICES, 3}, {LB_PEAK_EWMA, 2}, {LB_PEAK_EWMA, 3}};

enum { DRAWINGS = sizeof drawings / sizeof *drawings };

/* All alike: nobody has anything to do, and who weighs twice as much takes twice as long. */
static void open_alike(fleet *f, script *s, const struct drawing *by, int n, const uint32_t *weights)
{
	fleet_plan plan;

	fleet_draw(&plan, by->algorithm);
	plan.pool.tickets_max = 4096;
	plan.selector.choices = by->choices;
	open_scripted(f, s, &plan, n, weights);
	for (int i = 0; i < n && by->algorithm == LB_PEAK_EWMA; i++)
		answer_in(f, i, (weights ? weights[i] : 1) * LB_MICROSECONDS);
}

START_TEST(draws_reach_each_by_its_weight)
{
	const struct drawing *by = &drawings[_i];

	for (int kind = 0; kind < SHAPES; kind++)
		for (int n = 1; n <= FLEET_MAX; n = next_size(n)) {
			fleet f;
			script s;
			uint32_t weights[FLEET_MAX];
			place places[FLEET_MAX];
			uint64_t sum = weigh(weights, (shape)kind, n);
			open_alike(&f, &s, by, n, weights);
			measure(&f, &s, n, places);
			check_places(places, weights, n, sum);
			fleet_close(&f);
		}
}
END_TEST

/* Number v of n x sum: each place, and evenly spread in the low bits, away from every border. */
static uint64_t spread(uint64_t v, int n, uint64_t sum)
{
	return number_of((int)(v % (uint64_t)n), n) | script_bits(2 * (v / (uint64_t)n) + 1, 2 * sum);
}

/* The same without a look at places: of n x sum numbers n x weight, exactly. */
START_TEST(spread_numbers_are_shared_exactly)
{
	for (int kind = 0; kind < LARGE; kind++)
		for (int n = 1; n <= 9; n++) {
			fleet f;
			script s;
			uint32_t weights[FLEET_MAX];
			uint64_t served[FLEET_MAX] = {0}, sum = weigh(weights, (shape)kind, n);
			open_alike(&f, &s, &drawings[0], n, weights);
			for (uint64_t v = 0; v < (uint64_t)n * sum; v++)
				served[pick_low(&f, &s, spread(v, n, sum), 0)]++;
			for (int i = 0; i < n; i++)
				ck_assert_uint_eq(served[i], (uint64_t)n * weights[i]);
			fleet_close(&f);
		}
}
END_TEST

/* Endpoint i holds i requests for each of its weight. */
static void hold_rising(fleet *f, int n, const uint32_t *weights, lb_ticket *held)
{
	int open = 0;

	for (int i = 0; i < n; i++)
		for (uint32_t k = 0; k < (uint32_t)i * (weights ? weights[i] : 1); k++) {
			held[open] = (lb_ticket){0};
			if (fleet_select(f, &(lb_request){.prefer = f->e[i]}, &held[open++]) != i)
				ck_abort_msg("s%d takes no more", i);
		}
}

/* The pair a, b: the second by the low bits of one number, in which the first is left out, or by another number. */
static int pick_pair(fleet *f, script *s, int n, int a, int b)
{
	uint64_t other = script_bits((uint64_t)(b - (b > a)), (uint64_t)n - 1);

	return pick_by(f, s, (uint64_t[]){number_of(a, n) | other, number_of(b, n)}, 2);
}

/* Each ordered pair of two once: the first of equals, the second if the first is busier, and with loads all different. */
static void check_pairs(const struct drawing *by, int n)
{
	fleet f;
	script s;
	int served[FLEET_MAX] = {0};
	static lb_ticket held[FLEET_MAX * FLEET_MAX / 2];

	open_alike(&f, &s, by, n, NULL);
	for (int a = 0; a < n; a++) {
		for (int b = 0; b < n; b++)
			if (a != b && pick_pair(&f, &s, n, a, b) != a)
				ck_abort_msg("%d, %d of %d are alike", a, b, n);
		ck_assert_int_eq(fleet_select(&f, &(lb_request){.prefer = f.e[a]}, &held[0]), a);
		for (int b = 0; b < n; b++)
			if (a != b && pick_pair(&f, &s, n, a, b) != b)
				ck_abort_msg("%d, %d of %d: the first is busier", a, b, n);
		ck_ok(lb_report_result(f.selector, &held[0], LB_CANCELLED));
	}
	hold_rising(&f, n, NULL, held);
	for (int v = 0; v < n * n; v++)
		if (v % n != v / n)
			served[pick_pair(&f, &s, n, v % n, v / n)]++;
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(served[i], 2 * (n - 1 - i));
	fleet_close(&f);
}

START_TEST(two_choices_see_each_pair_once)
{
	for (int n = 2; n <= FLEET_MAX; n = next_size(n)) {
		check_pairs(&(struct drawing){LB_TWO_CHOICES, 2}, n);
		check_pairs(&(struct drawing){LB_PEAK_EWMA, 2}, n);
	}
}
END_TEST

/* Each ordered triple of three once, by equal weights and by unequal ones. */
START_TEST(three_choices_see_each_triple_once)
{
	static const uint32_t unequal[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
	static lb_ticket held[512];

	for (int n = 3; n <= 20; n++) {
		const uint32_t *weights = n <= 10 && n % 2 == 0 ? unequal : NULL;
		fleet f;
		script s;
		int idle[FLEET_MAX] = {0}, busy[FLEET_MAX] = {0};
		open_alike(&f, &s, &(struct drawing){LB_TWO_CHOICES, 3}, n, weights);
		for (int round = 0; round < 2; round++) {
			for (int v = 0; v < n * n * n; v++) {
				int a = v % n, b = v / n % n, c = v / n / n;
				/* one that is drawn again is no other one: these are drawn for nothing */
				uint64_t numbers[5] = {number_of(a, n), number_of(a, n), number_of(b, n),
						       number_of(a, n), number_of(c, n)};
				if (a != b && b != c && c != a)
					(round == 0 ? idle : busy)[pick_by(&f, &s, numbers, 5)]++;
			}
			if (round == 0)
				hold_rising(&f, n, weights, held);
		}
		for (int i = 0; i < n; i++) {
			ck_assert_int_eq(idle[i], (n - 1) * (n - 2));
			ck_assert_int_eq(busy[i], 3 * (n - 1 - i) * (n - 2 - i));
		}
		fleet_close(&f);
	}
}
END_TEST

/*
 * The second of two by unequal weights: `a` is drawn first and is the busier of any two, so it is the other one that is chosen.
 * A second, third and fourth number draw by the same places as the first, until they name another one.
 */
static void check_second(fleet *f, script *s, int n, const place *places, int a)
{
	uint64_t first = number_of(a, n);

	for (int i = 0; i < n; i++) {
		for (int rest = 0; rest < 2; rest++) {
			int due = rest ? places[i].other : places[i].own;
			uint64_t low = rest ? places[i].border : places[i].border - 1;
			uint64_t numbers[2] = {first, number_of(i, n) | low};
			if (due == a || low == lows)
				continue;
			if (pick_by(f, s, numbers, 2) != due || s->at != 2)
				ck_abort_msg("after %d of %d place %d draws another than %d", a, n, i, due);
		}
		uint64_t third[3] = {first, first, number_of(i, n)};
		uint64_t fourth[4] = {first, first, first, number_of(i, n)};
		if (i != a && (pick_by(f, s, third, 3) != i || pick_by(f, s, fourth, 4) != i))
			ck_abort_msg("after two or three of %d no %d", a, i);
	}
}

/* Four numbers in vain: then any other is taken, none as seldom as never or more than twice as often as by equal parts. */
static void check_any_other(fleet *f, script *s, int n, int a)
{
	int served[FLEET_MAX] = {0};
	uint64_t numbers[5] = {number_of(a, n), number_of(a, n), number_of(a, n), number_of(a, n)};

	for (int v = 0; v < n * (n - 1); v++) {
		numbers[4] = number_of(v, n * (n - 1));
		served[pick_by(f, s, numbers, 5)]++;
	}
	for (int i = 0; i < n; i++)
		if (i == a ? served[i] != 0 : served[i] < n - 1 || served[i] > 2 * (n - 1))
			ck_abort_msg("instead of %d of %d: %d is taken %d times", a, n, i, served[i]);
}

START_TEST(the_second_of_two_is_drawn_by_weight)
{
	static const struct drawing two[] = {{LB_TWO_CHOICES, 2}, {LB_PEAK_EWMA, 2}};

	for (int n = 2; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		script s;
		uint32_t weights[FLEET_MAX];
		place places[FLEET_MAX];
		weigh(weights, (shape)(_i / 2), n);
		open_alike(&f, &s, &two[_i % 2], n, weights);
		measure(&f, &s, n, places);
		for (int a = 0; a < n; a++) {
			lb_ticket held = {0};
			ck_assert_int_eq(fleet_select(&f, &(lb_request){.prefer = f.e[a]}, &held), a);
			check_second(&f, &s, n, places, a);
			if (_i % 2 == 0 && (a == 0 || a == n / 3 || a == n - 1))
				check_any_other(&f, &s, n, a);
			ck_ok(lb_report_result(f.selector, &held, LB_CANCELLED));
		}
		fleet_close(&f);
	}
}
END_TEST

/* The next way in which `used` draws of `values` each can come out; false when there are no more. */
static bool turn_over(uint64_t *digits, size_t used, uint64_t values)
{
	for (; used > 0; digits[--used] = 0)
		if (++digits[used - 1] < values)
			return true;
	return false;
}

static uint64_t raised(uint64_t base, size_t exponent)
{
	return exponent == 0 ? 1 : base * raised(base, exponent - 1);
}

/*
 * Pairs by unequal weights, all numbers of up to four draws: of n x sum numbers n x weight name an endpoint, so the pair a, b
 * comes p(a) p(b) (1 + p(a) + p(a)^2) often. The one earlier in the list is the less loaded.
 */
static void check_weighted_pairs(const uint32_t *weights, int n)
{
	static lb_ticket held[64];
	uint64_t digits[5] = {0}, served[4] = {0}, late = 0, late_due = 0, sum = 0;
	fleet f;
	script s;

	for (int i = 0; i < n; i++)
		sum += weights[i];
	uint64_t values = sum * (uint64_t)n;
	open_alike(&f, &s, &(struct drawing){LB_TWO_CHOICES, 2}, n, weights);
	hold_rising(&f, n, weights, held);
	do {
		uint64_t numbers[5];
		for (int i = 0; i < 5; i++)
			numbers[i] = spread(digits[i], n, sum);
		int number = pick_by(&f, &s, numbers, 5);
		if (s.at == 5) {
			late++;
			digits[4] = values - 1;
		} else {
			served[number] += raised(values, 4 - s.at);
		}
	} while (turn_over(digits, s.at, values));
	for (int i = 0; i < n; i++) {
		uint64_t due = 0, own = weights[i] * (uint64_t)n;
		for (int b = i + 1; b < n; b++) {
			uint64_t other = weights[b] * (uint64_t)n;
			due += own * other * (values * values + own * values + own * own);
			due += own * other * (values * values + other * values + other * other);
		}
		ck_assert_uint_eq(served[i], due);
		late_due += raised(own, 4);
	}
	ck_assert_uint_eq(late, late_due);
	fleet_close(&f);
}

START_TEST(pairs_by_weight_are_counted_out)
{
	check_weighted_pairs((uint32_t[]){3, 1}, 2);
	check_weighted_pairs((uint32_t[]){1, 6}, 2);
	check_weighted_pairs((uint32_t[]){1, 2, 3}, 3);
	check_weighted_pairs((uint32_t[]){4, 1, 1}, 3);
}
END_TEST

/* part / whole of 2^64, rounded up. */
static uint64_t share_of_all(uint64_t part, uint64_t whole)
{
	uint64_t high = (part << 32) / whole, rest = ((part << 32) % whole) << 32;

	return (high << 32) + rest / whole + (rest % whole > 0);
}

/* A retry after one at `tried`, by these numbers. */
static int retry_by(fleet *f, script *s, uint64_t tried, const uint64_t *numbers, size_t n)
{
	lb_ticket ticket = {0};

	script_play(s, &tried, 1);
	if (fleet_select(f, NULL, &ticket) < 0 || lb_report_result(f->selector, &ticket, LB_FAILURE) != LB_OK)
		ck_abort_msg("no first attempt");
	script_play(s, numbers, n);
	int number = fleet_select(f, NULL, &ticket);
	if (lb_report_result(f->selector, &ticket, LB_CANCELLED) != LB_OK)
		ck_abort_msg("no report");
	return number;
}

/*
 * When draws have named the one that was tried too often, its turn is dealt: one look at each of the others, which takes it over
 * from those before it for weight / (the weight of those and its own) of all numbers, exactly. So it ends with each for its part
 * of all the weight: the product of its own chance to take it and of those behind it to leave it there.
 */
static void check_deal(fleet *f, script *s, int n, const uint32_t *weights, int tried)
{
	enum { VAIN = 4 };
	uint64_t numbers[VAIN + FLEET_MAX], sum = 0;
	int first = tried == 0, seen = 0;

	for (int i = 0; i < VAIN + FLEET_MAX; i++)
		numbers[i] = i < VAIN ? number_of(tried, n) : UINT64_MAX;
	for (int i = 0; i < n; i++) {
		sum += i != tried ? weights[i] : 0;
		if (i == tried || ++seen == 1)
			continue;
		uint64_t *number = &numbers[VAIN + seen - 2];
		*number = share_of_all(weights[i], sum) - 1;
		if (retry_by(f, s, numbers[0], numbers, VAIN + FLEET_MAX) != i ||
		    s->at != VAIN + (size_t)n - 1)
			ck_abort_msg("after %d of %d %d takes too little", tried, n, i);
		++*number;
		if (retry_by(f, s, numbers[0], numbers, VAIN + FLEET_MAX) != first ||
		    s->at != VAIN + (size_t)n - 2)
			ck_abort_msg("after %d of %d %d takes too much", tried, n, i);
		*number = UINT64_MAX;
	}
}

START_TEST(refused_turns_are_dealt_by_weight)
{
	for (int n = 3; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		uint32_t weights[FLEET_MAX];
		weigh(weights, (shape)_i, n);
		fleet_draw(&plan, LB_RANDOM);
		open_scripted(&f, &s, &plan, n, weights);
		check_deal(&f, &s, n, weights, 0);
		check_deal(&f, &s, n, weights, n / 3);
		check_deal(&f, &s, n, weights, n - 1);
		fleet_close(&f);
	}
}
END_TEST

/* The same as a whole, by equal weights: 1 of 2, then 1 of 3. */
START_TEST(refused_turns_are_dealt_evenly)
{
	fleet f;
	fleet_plan plan;
	script s;
	int served[4] = {0};

	fleet_draw(&plan, LB_RANDOM);
	open_scripted(&f, &s, &plan, 4, NULL);
	for (int second = 0; second < 12; second++) {
		for (int third = 0; third < 12; third++) {
			uint64_t numbers[32] = {0};
			/* four draws in vain; then a number for each but the first, and one more for a change */
			bool changes = second < 6;
			numbers[4] = number_of(second, 12);
			numbers[changes ? 6 : 5] = number_of(third, 12);
			served[retry_by(&f, &s, 0, numbers, 32)]++;
		}
	}
	ck_assert_int_eq(served[0], 0);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(served[i], 48);
	fleet_close(&f);
}
END_TEST

/* Endpoint `number` has a request and takes no more. */
static void fill_up(fleet *f, int number, uint32_t weight, lb_ticket *held)
{
	lb_endpoint_config config;
	lb_endpoint_info info = fleet_info(f, number);

	ck_ok(lb_endpoint_config_from(&config, sizeof config, &info));
	config.weight = weight;
	config.inflight_max = 1;
	ck_ok(lb_pool_update(f->pool, f->e[number], &config));
	ck_assert_int_eq(fleet_select(f, &(lb_request){.prefer = f->e[number]}, held), number);
}

/* Whoever gets the next turn of one that is full, by these numbers: only then are there draws. */
static int next_dealt(fleet *f, script *s, const uint64_t *numbers, size_t n)
{
	for (int i = 0; i < 10000; i++) {
		int number = pick_by(f, s, numbers, n);
		if (s->at > 0)
			return number;
	}
	ck_abort_msg("no turn is dealt");
	return -1;
}

/* A rotation's: drawn among all, alike; after eight in vain one look at each, and the i-th takes it for 1 / i of 2^32. */
START_TEST(turns_of_a_rotation_are_dealt_evenly)
{
	enum { VAIN = 8 };

	for (int n = 3; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		lb_ticket held = {0};
		uint64_t numbers[VAIN + FLEET_MAX];
		int full = n / 3;
		fleet_draw(&plan, LB_ROUND_ROBIN);
		open_scripted(&f, &s, &plan, n, NULL);
		fill_up(&f, full, 1, &held);
		for (int i = 0; i < VAIN + FLEET_MAX; i++)
			numbers[i] = i < VAIN ? number_of(full, n) : UINT64_MAX;
		for (int i = 0, seen = 0; i < n; i++) {
			uint64_t places[2] = {number_of(i, n), number_of(i + 1, n) - 1};
			if (i == full)
				continue;
			if (next_dealt(&f, &s, &places[0], 1) != i || next_dealt(&f, &s, &places[1], 1) != i)
				ck_abort_msg("%d of %d is not drawn", i, n);
			if (seen++ == 0)
				continue;
			uint64_t *number = &numbers[VAIN + seen - 1];
			*number = script_bits(1, (uint64_t)seen) * lows - 1;
			if (next_dealt(&f, &s, numbers, VAIN + FLEET_MAX) != i)
				ck_abort_msg("%d of %d takes too little", i, n);
			++*number;
			if (next_dealt(&f, &s, numbers, VAIN + FLEET_MAX) != 0)
				ck_abort_msg("%d of %d takes too much", i, n);
			*number = UINT64_MAX;
		}
		ck_ok(lb_report_result(f.selector, &held, LB_CANCELLED));
		fleet_close(&f);
	}
}
END_TEST

/* Those of a weighted rotation: any turn of all is drawn, each once: as many as each weighs. */
START_TEST(turns_of_a_weighted_rotation_are_dealt_by_weight)
{
	static const shape kinds[] = {RISING, ONE_HEAVY, POWERS};

	for (int kind = 0; kind < 3; kind++)
		for (int n = 2; n <= (kind == 2 ? 8 : FLEET_MAX); n = next_size(n)) {
			fleet f;
			fleet_plan plan;
			script s;
			lb_ticket held = {0};
			uint32_t weights[FLEET_MAX], served[FLEET_MAX] = {0};
			uint64_t sum = weigh(weights, kinds[kind], n), vain = 0;
			int full = kind == 1 ? n / 3 : n - 1;
			fleet_draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
			open_scripted(&f, &s, &plan, n, weights);
			fill_up(&f, full, weights[full], &held);
			/* each turn's first number and its last; one of the full one's own is no answer: then the first turn of all is drawn */
			for (uint64_t v = 0; v < 2 * sum; v++) {
				uint64_t number = v % 2 ? (script_bits(v / 2 + 1, sum) << 32) - 1
							: script_bits(v / 2, sum) << 32;
				int got = next_dealt(&f, &s, (uint64_t[]){number, 0}, 2);
				vain += s.at > 1;
				served[got] += s.at == 1;
			}
			served[full] += (uint32_t)vain;
			for (int i = 0; i < n; i++)
				ck_assert_uint_eq(served[i], 2 * weights[i]);
			ck_ok(lb_report_result(f.selector, &held, LB_CANCELLED));
			fleet_close(&f);
		}
}
END_TEST

/* Where a cycle is too long for a table: of all 2^64 numbers each has its weight's part, from the first to the last. */
START_TEST(turns_of_a_long_rotation_are_dealt_by_weight)
{
	for (int n = 2; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		lb_ticket held = {0};
		uint32_t weights[FLEET_MAX];
		uint64_t sum = weigh(weights, LARGE, n), before = 0;
		int full = n / 2;
		fleet_draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
		open_scripted(&f, &s, &plan, n, weights);
		fill_up(&f, full, weights[full], &held);
		for (int i = 0; i < n; i++) {
			uint64_t first = share_of_all(before, sum);
			before += weights[i];
			uint64_t last = (i < n - 1 ? share_of_all(before, sum) : 0) - 1;
			int got[2] = {next_dealt(&f, &s, &first, 1), next_dealt(&f, &s, &last, 1)};
			if (i != full && (got[0] != i || got[1] != i))
				ck_abort_msg("%d of %d: %d and %d", i, n, got[0], got[1]);
		}
		ck_ok(lb_report_result(f.selector, &held, LB_CANCELLED));
		fleet_close(&f);
	}
}
END_TEST

/*
 * Three choices of a retry, which find one: then two more are dealt among the others, each pair of them alike. The one earlier
 * in the list is the less loaded, the one that was found the most.
 */
START_TEST(pairs_that_are_lacking_are_dealt_alike)
{
	enum { VAIN = 9, VALUES = 12, DRAWS = 4 };
	static lb_ticket held[64];

	for (int n = 5; n <= 6; n++) {
		uint64_t digits[DRAWS] = {0}, served[6] = {0}, all = 0;
		int others = n - 2;
		fleet f;
		script s;
		open_alike(&f, &s, &(struct drawing){LB_TWO_CHOICES, 3}, n, NULL);
		hold_rising(&f, n, NULL, held);
		do {
			uint64_t numbers[VAIN + DRAWS];
			/* the first draw finds n - 2, all others name the one that was tried */
			for (int i = 0; i < VAIN; i++)
				numbers[i] = number_of(i == 0 ? n - 2 : n - 1, n);
			for (int i = 0; i < DRAWS; i++)
				numbers[VAIN + i] = number_of((int)digits[i], VALUES);
			lb_ticket ticket = {0};
			if (fleet_select(&f, &(lb_request){.prefer = f.e[n - 1]}, &ticket) != n - 1 ||
			    lb_report_result(f.selector, &ticket, LB_FAILURE) != LB_OK)
				ck_abort_msg("no first attempt");
			script_play(&s, numbers, VAIN + DRAWS);
			int number = fleet_select(&f, NULL, &ticket);
			ck_assert(lb_report_result(f.selector, &ticket, LB_CANCELLED) == LB_OK);
			served[number] += raised(VALUES, VAIN + DRAWS - s.at);
			all += raised(VALUES, VAIN + DRAWS - s.at);
		} while (turn_over(digits, s.at - VAIN, VALUES));
		ck_assert_uint_eq(all, raised(VALUES, DRAWS));
		for (int i = 0; i < n; i++) {
			uint64_t pairs = (uint64_t)(i < others ? others - 1 - i : 0);
			ck_assert_uint_eq(served[i] * (uint64_t)(others * (others - 1) / 2), all * pairs);
		}
		fleet_close(&f);
	}
}
END_TEST

/* Nobody may be used, and nobody knows of it yet: then all are tried from any place on. */
START_TEST(a_walk_begins_anywhere_alike)
{
	for (int n = 1; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		fleet_draw(&plan, LB_ROUND_ROBIN);
		plan.pool.breaker = &plan.breaker;
		plan.pool.panic_percent = 50;
		open_scripted(&f, &s, &plan, n, NULL);
		for (int i = 0; i < n; i++)
			ck_assert_int_eq(fleet_pick(&f, &(lb_request){.prefer = f.e[i]}, LB_FAILURE), i);
		for (int i = 0; i < 2 * n; i++) {
			uint64_t number = i % 2 ? number_of(i / 2 + 1, n) - 1 : number_of(i / 2, n);
			ck_assert_int_eq(pick_by(&f, &s, &number, 1), i / 2);
		}
		fleet_close(&f);
	}
}
END_TEST

/* A scan of equals that begins anywhere: at each place, for 1 / n of all numbers; then it goes on in turn. */
START_TEST(a_scan_begins_anywhere_alike)
{
	for (int n = 1; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		fleet_draw(&plan, n % 3 == 0 ? LB_LEAST_CONNECTIONS : LB_LEAST_RESPONSE_TIME);
		open_scripted(&f, &s, &plan, n, NULL);
		plan.selector.random_start = 1;
		for (int i = 0; i < 2 * n; i++) {
			uint64_t number = i % 2 ? number_of(i / 2 + 1, n) - 1 : number_of(i / 2, n);
			lb_selector_destroy(f.selector);
			ck_ok(lb_selector_create(&f.selector, f.pool, &plan.selector));
			ck_assert_int_eq(pick_by(&f, &s, &number, 1), i / 2);
			ck_assert_int_eq(pick_by(&f, &s, NULL, 0), (i / 2 + 1) % n);
		}
		fleet_close(&f);
	}
}
END_TEST

/* A rotation that begins anywhere: behind each place, for 1 / n of all numbers. */
START_TEST(a_rotation_begins_anywhere_alike)
{
	for (int n = 1; n <= FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		fleet_draw(&plan, LB_ROUND_ROBIN);
		open_scripted(&f, &s, &plan, n, NULL);
		plan.selector.random_start = 1;
		for (int i = 0; i < 2 * n; i++) {
			uint64_t number = i % 2 ? number_of(i / 2 + 1, n) - 1 : number_of(i / 2, n);
			lb_selector_destroy(f.selector);
			ck_ok(lb_selector_create(&f.selector, f.pool, &plan.selector));
			ck_assert_int_eq(pick_by(&f, &s, &number, 1), (i / 2 + 1) % n);
		}
		fleet_close(&f);
	}
}
END_TEST

/* A weighted one: with any turn of all, each once; so the first turn is each one's as often as it weighs. */
START_TEST(a_weighted_rotation_begins_anywhere_alike)
{
	for (int n = 1; n <= 12; n++) {
		fleet f;
		fleet_plan plan;
		script s;
		uint32_t weights[FLEET_MAX], served[FLEET_MAX] = {0};
		uint64_t sum = weigh(weights, RISING, n);
		fleet_draw(&plan, LB_WEIGHTED_ROUND_ROBIN);
		open_scripted(&f, &s, &plan, n, weights);
		plan.selector.random_start = 1;
		for (uint64_t turn = 0; turn < sum; turn++) {
			uint64_t number = script_bits(turn, sum) << 32;
			lb_selector_destroy(f.selector);
			ck_ok(lb_selector_create(&f.selector, f.pool, &plan.selector));
			served[pick_by(&f, &s, &number, 1)]++;
		}
		for (int i = 0; i < n; i++)
			ck_assert_uint_eq(served[i], weights[i]);
		fleet_close(&f);
	}
}
END_TEST

/* As many are able to serve as are well, and 40 % more: in whole hundredths of all numbers. */
START_TEST(priorities_get_their_hundredths)
{
	for (int n = 1; n < FLEET_MAX; n = next_size(n)) {
		fleet f;
		fleet_plan plan;
		script s;
		fleet_draw(&plan, LB_RANDOM);
		open_scripted(&f, &s, &plan, n, NULL);
		fleet_add_in(&f, n, 1, 0);
		for (int well = n; well >= 0; well--) {
			int first = 0, able = 140 * well / n;
			for (uint64_t mark = 0; mark < 100; mark++)
				first += pick_by(&f, &s, (uint64_t[]){mark, mark << 57}, 2) < n;
			ck_assert_int_eq(first, able < 100 ? able : 100);
			if (well > 0)
				ck_ok(lb_pool_set_health(f.pool, f.e[well - 1], LB_UNHEALTHY));
		}
		fleet_close(&f);
	}
}
END_TEST

/* By weight: of a million numbers each zone's part by its weight, which one or the other is rounded to. */
START_TEST(zones_get_their_millionths)
{
	enum { ZONES = 6, PARTS = 1000000 };
	fleet f;
	fleet_plan plan;
	script s;
	int served[ZONES] = {0};

	fleet_draw(&plan, LB_ROUND_ROBIN);
	open_scripted(&f, &s, &plan, 0, NULL);
	for (uint32_t zone = 0; zone < ZONES; zone++) {
		fleet_add_in(&f, (int)zone, 0, zone + 1);
		ck_ok(lb_pool_set_zone(f.pool, zone + 1, zone + 1, 0));
	}
	for (uint64_t mark = 0; mark < PARTS; mark++)
		served[pick_by(&f, &s, (uint64_t[]){0, mark}, 2)]++;
	for (int i = 0; i < ZONES; i++) {
		int exact = PARTS * (i + 1) / 21;
		ck_assert_int_ge(served[i], exact - 1);
		ck_assert_int_le(served[i], exact + 1);
	}
	fleet_close(&f);
}
END_TEST

/* Where all of a zone are full, its turns go to the others by their endpoints. */
START_TEST(turns_of_a_zone_are_dealt_by_endpoints)
{
	static const int sizes[] = {3, 1, 5, 2};
	fleet f;
	fleet_plan plan;
	script s;
	lb_ticket held = {0};
	int n = 0, zone_of[FLEET_MAX], served[4] = {0};

	fleet_draw(&plan, LB_ROUND_ROBIN);
	open_scripted(&f, &s, &plan, 0, NULL);
	for (int zone = 0; zone < 4; zone++) {
		ck_ok(lb_pool_set_zone(f.pool, (uint32_t)zone + 1, 1, 0));
		for (int i = 0; i < sizes[zone]; i++, n++) {
			fleet_add_in(&f, n, 0, (uint32_t)zone + 1);
			zone_of[n] = zone;
		}
	}
	fill_up(&f, 3, 1, &held);
	for (int i = 0; i < 2 * (n - 1); i++) {
		uint64_t number = i % 2 ? number_of(i / 2 + 1, n - 1) - 1 : number_of(i / 2, n - 1);
		uint64_t numbers[12] = {0, 250000};
		for (int draw = 2; draw < 12; draw++)
			numbers[draw] = number;
		served[zone_of[pick_by(&f, &s, numbers, 12)]]++;
	}
	for (int zone = 0; zone < 4; zone++)
		ck_assert_int_eq(served[zone], zone == 1 ? 0 : 2 * sizes[zone]);
	ck_ok(lb_report_result(f.selector, &held, LB_CANCELLED));
	fleet_close(&f);
}
END_TEST

Suite *suite_enumeration(void)
{
	Suite *suite = suite_create("enumeration");
	TCase *draws = tcase_create("draws"), *deals = tcase_create("deals"),
	      *shares = tcase_create("shares");

	tcase_add_test(draws, random_reaches_each_of_equals_alike);
	tcase_add_loop_test(draws, draws_reach_each_by_its_weight, 0, DRAWINGS);
	tcase_add_test(draws, spread_numbers_are_shared_exactly);
	tcase_add_test(draws, two_choices_see_each_pair_once);
	tcase_add_test(draws, three_choices_see_each_triple_once);
	tcase_add_loop_test(draws, the_second_of_two_is_drawn_by_weight, 0, 2 * SHAPES);
	tcase_add_test(draws, pairs_by_weight_are_counted_out);
	suite_add_tcase(suite, draws);
	tcase_add_loop_test(deals, refused_turns_are_dealt_by_weight, 0, SHAPES);
	tcase_add_test(deals, refused_turns_are_dealt_evenly);
	tcase_add_test(deals, turns_of_a_rotation_are_dealt_evenly);
	tcase_add_test(deals, turns_of_a_weighted_rotation_are_dealt_by_weight);
	tcase_add_test(deals, turns_of_a_long_rotation_are_dealt_by_weight);
	tcase_add_test(deals, pairs_that_are_lacking_are_dealt_alike);
	tcase_add_test(deals, a_walk_begins_anywhere_alike);
	tcase_add_test(deals, a_scan_begins_anywhere_alike);
	tcase_add_test(deals, a_rotation_begins_anywhere_alike);
	tcase_add_test(deals, a_weighted_rotation_begins_anywhere_alike);
	suite_add_tcase(suite, deals);
	tcase_add_test(shares, priorities_get_their_hundredths);
	tcase_add_test(shares, zones_get_their_millionths);
	tcase_add_test(shares, turns_of_a_zone_are_dealt_by_endpoints);
	suite_add_tcase(suite, shares);
	return suite;
}
