/* The guest of bench/preempt that is stopped by its limit only. */
__attribute__((export_name("spin"))) void spin(void)
{
    volatile unsigned turns = 0;
    for (;;) turns++;
}
