/* Five bodies under gravity. */
#include "kernel.h"

#include <math.h>
#include <string.h>

#define BODIES 5
#define STEPS  700000

struct body {
    double x, y, z, vx, vy, vz, mass;
};

static struct body start[BODIES], bodies[BODIES];

static void kernel_setup(void)
{
    for (int i = 0; i < BODIES; i++)
        start[i] = (struct body){4.0 * i + kernel_random_unit(),
                                 3.0 * kernel_random_unit(),
                                 kernel_random_unit(),
                                 0.2 * kernel_random_unit(),
                                 0.3 * kernel_random_unit(),
                                 0.01 * kernel_random_unit(),
                                 i ? 0.03 : 39.0};
}

static void attract(struct body *a, struct body *b, double dt)
{
    double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
    double square = dx * dx + dy * dy + dz * dz;
    double pull = dt / (square * sqrt(square));
    a->vx -= dx * b->mass * pull;
    a->vy -= dy * b->mass * pull;
    a->vz -= dz * b->mass * pull;
    b->vx += dx * a->mass * pull;
    b->vy += dy * a->mass * pull;
    b->vz += dz * a->mass * pull;
}

static double kernel_run(void)
{
    const double dt = 0.0001;
    memcpy(bodies, start, sizeof bodies);
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < BODIES; i++)
            for (int j = i + 1; j < BODIES; j++) attract(&bodies[i], &bodies[j], dt);
        for (int i = 0; i < BODIES; i++) {
            bodies[i].x += dt * bodies[i].vx;
            bodies[i].y += dt * bodies[i].vy;
            bodies[i].z += dt * bodies[i].vz;
        }
    }
    return bodies[0].x + bodies[1].y + bodies[4].z;
}

KERNEL_MAIN("nbody")
