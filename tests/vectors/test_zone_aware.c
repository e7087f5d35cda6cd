/*
 * Envoy's unit tests of zone aware routing, RoundRobinLoadBalancerTest.ZoneAware* and NoZoneAware*, and of locality weights,
 * LocalityWrrTest, in test/extensions/load_balancing_policies/, below it round_robin/round_robin_lb_test.cc and
 * common/locality_wrr_test.cc. By the numbers that their random draws are given and the zones that come of them; what Envoy's
 * documentation says is in test_localities.c.
 */
#include "core/zones.h"
#include "crowd.h"

#include <math.h>

enum { ZONES = 9, DRAWS = 9, RESIDUALS = 4 };

typedef struct draw {
	uint32_t stay, where; /* of 10000, of the residual capacity */
	uint32_t zone;
} draw;

typedef struct routing {
	const char *source;
	uint32_t n, least, own;
	lb_zone_counts zones[ZONES]; /* callers, endpoints */
	uint32_t draws_n;            /* 0: zones do not matter */
	draw draws[DRAWS];
} routing;

enum { A, B, C, D, E, F, G, H, I };

static const routing routings[] = {
    {"ZoneAwareSmallCluster", 3, 7, B, {{1, 1}, {1, 1}, {1, 1}}, 0, {{0}}},
    {"ZoneAwareSmallCluster, least 1", 3, 1, B, {{1, 1}, {1, 1}, {1, 1}}, 1, {{0, 0, B}}},
    {"ZoneAwareZonesMismatched, in A", 3, 2, A, {{1, 1}, {1, 0}, {0, 1}}, 1, {{0, 0, A}}},
    {"ZoneAwareZonesMismatched, in B", 3, 2, B, {{1, 1}, {1, 0}, {0, 1}}, 2, {{0, 0, C}, {0, 4999, C}}},
    {"ZoneAwareResidualsMismatched",
     5,
     6,
     A,
     {{2, 1}, {2, 0}, {1, 3}, {1, 3}, {0, 1}},
     9,
     {{0, 0, A},
      {3749, 0, A},
      {3750, 0, C},
      {3750, 2083, C},
      {9999, 2084, D},
      {9999, 4167, D},
      {9999, 4168, E},
      {9999, 5417, E},
      {9999, 5418, C}}},
    {"ZoneAwareDifferentZoneSize",
     3,
     3,
     B,
     {{1, 1}, {1, 1}, {0, 1}},
     4,
     {{0, 0, B}, {6665, 0, B}, {6666, 0, C}, {9999, 3333, C}}},
    {"ZoneAwareRoutingLargeZoneSwitchOnOff", 3, 3, B, {{1, 1}, {1, 1}, {1, 1}}, 1, {{0, 0, B}}},
    {"ZoneAwareRoutingSmallZone", 3, 5, A, {{1, 1}, {1, 2}, {1, 2}}, 2, {{100, 0, A}, {9999, 2, B}}},
    {"ZoneAwareNoMatchingZones",
     6,
     3,
     A,
     {{1, 0}, {1, 0}, {1, 0}, {0, 1}, {0, 1}, {0, 1}},
     5,
     {{0, 3332, D}, {0, 3333, E}, {0, 6665, E}, {0, 6666, F}, {0, 9998, F}}},
    {"ZoneAwareEmptyLocalities",
     9,
     3,
     A,
     {{1, 0}, {0, 0}, {1, 2}, {1, 0}, {0, 1}, {1, 2}, {0, 0}, {0, 1}, {0, 0}},
     9,
     {{0, 0, C},
      {0, 832, C},
      {0, 833, E},
      {0, 2498, E},
      {0, 2499, F},
      {0, 3331, F},
      {0, 3332, H},
      {0, 4997, H},
      {0, 4998, C}}},
    {"NoZoneAwareNotEnoughLocalZones", 2, 2, A, {{1, 1}, {0, 1}}, 0, {{0}}},
    {"NoZoneAwareNotEnoughUpstreamZones", 2, 1, A, {{1, 1}, {1, 0}}, 0, {{0}}},
    {"NoZoneAwareRoutingOneZone", 1, 1, A, {{1, 1}}, 0, {{0}}},
    {"NoZoneAwareRoutingNoLocalLocality", 3, 1, C, {{1, 1}, {1, 1}, {0, 0}}, 0, {{0}}},
};

/* The next draw is the lowest 16 bits of what is left. */
static uint64_t next_draw(void *user)
{
	world *w = user;
	uint64_t next = w->random & 0xffff;

	w->random >>= 16;
	return next;
}

/* Callers of zone `own`, by round robin; zones are numbers from 1 on. */
static void open_zones(crowd *c, const routing *r, bool scripted)
{
	lb_pool_config config = crowd_config();

	memset(c, 0, sizeof *c);
	c->w.now = 1000 * LB_SECONDS;
	lb_env env = world_env(&c->w);
	if (scripted)
		env.random = next_draw;
	config.zone = 1 + r->own;
	config.zone_endpoints_min = r->least;
	ck_ok(lb_pool_create(&c->pool, &config, &env));
	crowd_choose_by(c, LB_ROUND_ROBIN);
	for (uint32_t zone = 0; zone < r->n; zone++) {
		crowd_add(c, (int)r->zones[zone].endpoints, 0, 1 + zone, LB_HEALTHY);
		ck_ok(lb_pool_set_zone(c->pool, 1 + zone, 0, r->zones[zone].callers));
	}
}

START_TEST(draws_lead_to_the_zones_that_envoy_expects)
{
	const routing *r = &routings[_i];
	/* the first draw is the priority's; where nothing can stay, nothing is drawn for it */
	bool may_stay = r->zones[r->own].endpoints > 0;
	crowd c;

	open_zones(&c, r, true);
	for (uint32_t i = 0; i < r->draws_n; i++) {
		const draw *d = &r->draws[i];
		c.w.random =
		    may_stay ? (uint64_t)d->stay << 16 | (uint64_t)d->where << 32 : (uint64_t)d->where << 16;
		uint32_t zone = c.zone[crowd_pick(&c, NULL, NULL)] - 1;
		ck_assert_msg(zone == d->zone, "%s, draw %u: zone %u, not %u", r->source, i, zone, d->zone);
	}
	for (int i = 0; r->draws_n == 0 && i < 2 * c.n; i++)
		ck_assert_int_eq(crowd_pick(&c, NULL, NULL), i % c.n);
	crowd_close(&c);
}
END_TEST

/* The same with random draws: of ZoneAwareResidualsMismatched, whose comment has the residual capacities, what each zone gets. */
START_TEST(residual_capacities_are_the_shares_of_requests)
{
	static const double shares[] = {0.375, 0, 0.625 * 2084 / 5418, 0.625 * 2084 / 5418,
					0.625 * 1250 / 5418};
	crowd c;
	int n = (int)rounds(40000), got[6] = {0};

	open_zones(&c, &routings[RESIDUALS], false);
	for (int i = 0; i < n; i++)
		got[c.zone[crowd_pick(&c, NULL, NULL)]]++;
	for (int zone = 0; zone < 5; zone++) {
		double part = (double)got[zone + 1] / n,
		       off = 5 * sqrt(shares[zone] * (1 - shares[zone]) / n);
		ck_assert_msg(fabs(part - shares[zone]) <= off, "zone %d: %f, not %f", zone, part,
			      shares[zone]);
	}
	crowd_close(&c);
}
END_TEST

/* Of a hundred turns: Envoy takes them in turn by deadline, here zones are drawn by the same shares. */
typedef struct division {
	const char *source;
	uint32_t n, overprovision;
	lb_zone_weight zones[3]; /* weight, endpoints, healthy */
	uint32_t turns[3];
} division;

static const division divisions[] = {
    {"UnhealthyFailover, 5 healthy", 2, 140, {{1, 5, 5}, {2, 1, 1}}, {33, 67}},
    {"UnhealthyFailover, 4 healthy", 2, 140, {{1, 5, 4}, {2, 1, 1}}, {33, 67}},
    {"UnhealthyFailover, 3 healthy", 2, 140, {{1, 5, 3}, {2, 1, 1}}, {29, 71}},
    {"UnhealthyFailover, 2 healthy", 2, 140, {{1, 5, 2}, {2, 1, 1}}, {22, 78}},
    {"UnhealthyFailover, 1 healthy", 2, 140, {{1, 5, 1}, {2, 1, 1}}, {12, 88}},
    {"UnhealthyFailover, 0 healthy", 2, 140, {{1, 5, 0}, {2, 1, 1}}, {0, 100}},
    {"NotWarmedHostsLocality", 2, 140, {{1, 1, 1}, {1, 2, 2}}, {50, 50}},
    {"UnweightedLocalities", 3, 140, {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}, {34, 33, 33}},
    {"WeightedLocalities", 2, 140, {{1, 1, 1}, {2, 1, 1}}, {33, 67}},
    {"MissingWeight", 3, 140, {{1, 1, 1}, {0, 1, 1}, {1, 1, 1}}, {50, 0, 50}},
    {"WeightedAllChosen", 3, 140, {{1, 1, 1}, {6, 1, 1}, {3, 1, 1}}, {10, 60, 30}},
    {"OverProvisioningFactorTest.LocalityPickChanges, 1", 2, 100, {{1, 2, 1}, {1, 1, 1}}, {33, 67}},
    {"OverProvisioningFactorTest.LocalityPickChanges, 2", 2, 200, {{1, 2, 1}, {1, 1, 1}}, {50, 50}},
    {"AllHostsUnhealthy", 3, 140, {{1, 1, 0}, {1, 1, 0}, {1, 1, 0}}, {0}},
    {"AllZeroWeights", 2, 140, {{0, 1, 1}, {0, 1, 1}}, {0}},
};

START_TEST(localities_have_their_turns)
{
	const division *d = &divisions[_i];
	lb_zone_shares shares;
	uint32_t all = 0;

	for (uint32_t i = 0; i < d->n; i++)
		all += d->turns[i];
	ck_assert_msg(lb_zone_weights(&shares, d->zones, d->n, d->overprovision) == (all > 0), "%s",
		      d->source);
	for (uint32_t i = 0; i < d->n; i++) {
		double share = lb_zone_share(&shares, i) * 100.0 / LB_ZONE_PARTS;
		ck_assert_msg(d->turns[i] == 0 ? share == 0 : fabs(share - d->turns[i]) < 0.7,
			      "%s, zone %u: %f, not %u", d->source, i, share, d->turns[i]);
	}
}
END_TEST

Suite *suite_zone_aware(void)
{
	Suite *suite = suite_create("zone_aware");
	TCase *tc = tcase_create("published");

	tcase_add_loop_test(tc, draws_lead_to_the_zones_that_envoy_expects, 0,
			    sizeof routings / sizeof *routings);
	tcase_add_test(tc, residual_capacities_are_the_shares_of_requests);
	tcase_add_loop_test(tc, localities_have_their_turns, 0, sizeof divisions / sizeof *divisions);
	suite_add_tcase(suite, tc);
	return suite;
}
