/* SPDX-License-Identifier: Apache-2.0 */

/* The runner: input.bin through the model to output.bin, sample by sample, in one boot. */

#include "counter.h"
#include "io.h"
#include "report.h"
#include "stack.h"
#include "under_test.h"

enum status
{
    DONE = 0,
    LAYER_FAILED = 1,
    IO_FAILED = 2
};

struct tally
{
    uint64_t samples;
    uint64_t ticks_min;
    uint64_t ticks_max;
    uint64_t ticks_total;
    uint64_t failed_layer;
};

enum reading
{
    SAMPLE_READ,
    END_OF_INPUT,
    SAMPLE_CUT_SHORT
};

static enum reading read_sample(int input)
{
    for (uint32_t i = 0; i < under_test_input_count; i++)
    {
        const struct under_test_slot *slot = &under_test_inputs[i];
        const size_t bytes = io_read(input, under_test_arena + slot->offset, slot->size);
        if (bytes != slot->size)
        {
            return i == 0 && bytes == 0 ? END_OF_INPUT : SAMPLE_CUT_SHORT;
        }
    }
    return SAMPLE_READ;
}

static int write_sample(int output)
{
    for (uint32_t i = 0; i < under_test_output_count; i++)
    {
        const struct under_test_slot *slot = &under_test_outputs[i];
        if (io_write(output, under_test_arena + slot->offset, slot->size) != slot->size)
        {
            return IO_FAILED;
        }
    }
    return DONE;
}

__attribute__((noinline)) static int invoke_nothing(void *arena)
{
    __asm volatile("" ::"r"(arena)); /* keeps the compiler from removing the call */
    return 0;
}

static uint64_t measure(int (*invoke)(void *), uint64_t *failed_layer)
{
    counter_start();
    *failed_layer = (uint64_t)invoke(under_test_arena);
    const uint64_t ticks = counter_read();
    counter_stop();
    return ticks;
}

static void add_measurement(struct tally *tally, uint64_t ticks)
{
    tally->ticks_min = ticks < tally->ticks_min ? ticks : tally->ticks_min;
    tally->ticks_max = ticks > tally->ticks_max ? ticks : tally->ticks_max;
    tally->ticks_total += ticks;
    tally->samples++;
}

static enum status run(int input, int output, struct tally *tally)
{
    const uint64_t overhead = measure(invoke_nothing, &tally->failed_layer);
    enum reading reading;
    while ((reading = read_sample(input)) == SAMPLE_READ)
    {
        const uint64_t ticks = measure(under_test_invoke, &tally->failed_layer);
        if (tally->failed_layer != 0)
        {
            return LAYER_FAILED;
        }
        add_measurement(tally, ticks > overhead ? ticks - overhead : 0);
        if (write_sample(output) != DONE)
        {
            return IO_FAILED;
        }
    }
    return reading == END_OF_INPUT ? DONE : IO_FAILED;
}

static void report(enum status status, const struct tally *tally, uint32_t stack_bytes)
{
    const struct report_entry entries[] = {
        {"status  ", status},
        {"layer   ", tally->failed_layer},
        {"samples ", tally->samples},
        {"min     ", tally->ticks_min},
        {"max     ", tally->ticks_max},
        {"total   ", tally->ticks_total},
        {"stack   ", stack_bytes},
    };
    report_write(entries, sizeof entries / sizeof entries[0]);
}

int main(void)
{
    struct tally tally = {0, UINT64_MAX, 0, 0, 0};
    stack_paint();
    under_test_start();
    const int input = io_open("input.bin", IO_READ);
    const int output = io_open("output.bin", IO_WRITE);
    if (input < 0 || output < 0)
    {
        return IO_FAILED;
    }
    const enum status status = run(input, output, &tally);
    io_close(output);
    report(status, &tally, stack_high_water());
    return status;
}
