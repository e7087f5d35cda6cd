/* The profiles' rules. See ring_plan.h. */
#include "algo/ring_plan.h"

#include "base/span.h"

/*
 * RJ/ketama, ketama.c: float pct = (float)memory / (float)total; floorf(pct * 40.0 * (float)servers). The product is one of
 * doubles, and exact; floorf rounds it to a float first.
 */
static uint64_t labels_of_ketama(const lb_ring_plan *plan, uint32_t weight)
{
	lb_real part = lb_real_part(weight, plan->weight, LB_SINGLE);

	return lb_real_floor(lb_real_of(part.mantissa * 40 * plan->n, part.exponent, LB_SINGLE));
}

/*
 * libmemcached, hosts.cc: floor((float)(pct * 160 / 4 * (float)servers + 0.0000000001F)), each step one of floats. The last
 * addition is below the rounding of any number that it could carry over a whole one.
 */
static uint64_t labels_of_libmemcached(const lb_ring_plan *plan, uint32_t weight)
{
	lb_real part = lb_real_part(weight, plan->weight, LB_SINGLE);
	lb_real labels = lb_real_product(part, lb_real_of(LB_RING_POINTS, 0, LB_SINGLE));

	labels.exponent -= 2;
	return lb_real_floor(lb_real_product(labels, lb_real_of(plan->n, 0, LB_SINGLE)));
}

/* Envoy, ring_hash_lb.cc: min(ceil(least part x least size) / least part, greatest size). */
static lb_real scale_of_envoy(const lb_ring_plan *plan, uint32_t least_size)
{
	lb_real least = lb_real_part(plan->lightest, plan->weight, LB_DOUBLE);
	uint64_t points = lb_real_ceiling(lb_real_product(least, lb_real_of(least_size, 0, LB_DOUBLE)));
	lb_real scale = lb_real_ratio(lb_real_of(points, 0, LB_DOUBLE), least);

	return lb_real_ceiling(scale) > plan->room ? lb_real_of(plan->room, 0, LB_DOUBLE) : scale;
}

static uint64_t labels_of_envoy(lb_ring_plan *plan, uint32_t weight)
{
	lb_real part = lb_real_part(weight, plan->weight, LB_DOUBLE);

	plan->target = lb_real_sum(plan->target, lb_real_product(plan->scale, part));
	uint64_t due = lb_min64(lb_real_ceiling(plan->target), plan->room);

	return due > plan->given ? due - plan->given : 0;
}

static uint64_t labels_of_ours(const lb_ring_plan *plan, uint32_t weight)
{
	uint64_t points = ((uint64_t)plan->share * weight + plan->heaviest / 2) / plan->heaviest;

	return points > 0 ? points : 1;
}

static uint64_t labels_by_rule(lb_ring_plan *plan, uint32_t weight)
{
	if (weight == 0)
		return 0;
	switch (plan->profile) {
	case LB_HASH_NGINX:
		return (uint64_t)LB_RING_POINTS * weight;
	case LB_HASH_KETAMA:
		return labels_of_ketama(plan, weight);
	case LB_HASH_LIBMEMCACHED:
		return labels_of_libmemcached(plan, weight);
	case LB_HASH_ENVOY:
		return labels_of_envoy(plan, weight);
	default:
		return labels_of_ours(plan, weight);
	}
}

uint32_t lb_ring_plan_next(lb_ring_plan *plan, uint32_t weight)
{
	uint64_t labels = labels_by_rule(plan, weight);

	/* one each, and of the rest a part: who had any has one */
	if (plan->wanted > plan->room && labels > 0)
		labels = 1 + (labels - 1) * (plan->room - plan->n) / plan->wanted;
	labels = lb_min64(labels, plan->room - plan->given);
	plan->given += labels;
	return (uint32_t)labels;
}

void lb_ring_plan_restart(lb_ring_plan *plan)
{
	plan->given = 0;
	plan->target = lb_real_of(0, 0, LB_DOUBLE);
}

static uint32_t weight_of(const lb_algo_view *view, const lb_tier *tier, uint32_t place)
{
	return lb_get(&view->weights[lb_tier_slot(tier, place)]);
}

static void weigh(lb_ring_plan *plan, const lb_algo_view *view, const lb_tier *tier)
{
	plan->lightest = UINT32_MAX;
	plan->heaviest = 1;
	for (uint32_t i = 0; i < tier->n; i++) {
		uint32_t weight = weight_of(view, tier, i);
		if (weight == 0)
			continue;
		plan->n++;
		plan->weight += weight;
		plan->lightest = weight < plan->lightest ? weight : plan->lightest;
		plan->heaviest = weight > plan->heaviest ? weight : plan->heaviest;
	}
}

lb_ring_plan lb_ring_plan_of(const lb_algo_view *view, const lb_tier *tier, uint32_t room, uint32_t share)
{
	uint32_t least_size = view->rules->table_size != 0 ? view->rules->table_size : LB_RING_ENVOY_SIZE;
	lb_ring_plan plan = {.profile = view->rules->profile, .share = share};

	plan.room = room / lb_ring_points_of_label(plan.profile);
	weigh(&plan, view, tier);
	plan.scale = plan.profile == LB_HASH_ENVOY ? scale_of_envoy(&plan, least_size) : plan.scale;
	lb_ring_plan_restart(&plan);
	uint64_t wanted = 0;
	for (uint32_t i = 0; i < tier->n; i++) {
		uint64_t labels = labels_by_rule(&plan, weight_of(view, tier, i));
		plan.given += labels;
		wanted += labels;
	}
	plan.wanted = wanted;
	lb_ring_plan_restart(&plan);
	for (uint32_t i = 0; i < tier->n; i++)
		lb_ring_plan_next(&plan, weight_of(view, tier, i));
	plan.total = plan.given;
	lb_ring_plan_restart(&plan);
	return plan;
}
