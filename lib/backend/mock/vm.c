/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/vm.h"

#include <string.h>

#include <wincontainer/stream.h>

#include "core/alloc.h"
#include "core/error.h"

#define NS_PER_MS 1000000
#define CHUNK 32768

/* ---- Ends and output ------------------------------------------------------------------------ */

static void end(mock_vm *vm, int32_t exit_code, int dead)
{
    vm->ended = 1;
    vm->end = (mock_step){
        .kind = MOCK_STEP_ENDED, .time_ns = vm->time_ns, .exit_code = exit_code, .dead = dead};
}

static void print(mock_vm *vm, const char *text)
{
    wci_str_append(&vm->out, text);
}

static void println(mock_vm *vm, const char *text)
{
    print(vm, text);
    wci_str_append_c(&vm->out, '\n');
}

static mock_step output(const mock_vm *vm, int32_t channel, const char *data, size_t size)
{
    return (mock_step){.kind = MOCK_STEP_OUTPUT,
                       .time_ns = vm->time_ns,
                       .channel = vm->run.tty ? WC_STREAM_STDOUT : channel,
                       .data = data,
                       .size = size};
}

static void next_action(mock_vm *vm)
{
    vm->pc++;
    vm->progress = 0;
    vm->since_ns = 0;
}

/* ---- Signals -------------------------------------------------------------------------------- */

static void deliver(mock_vm *vm, int32_t signal)
{
    const mock_disposition *d = &vm->signals[signal];
    if (signal == MOCK_SIGKILL || d->what == MOCK_DEFAULT) {
        if (wci_mock_signal_is_fatal(signal))
            end(vm, 128 + signal, 0);
    } else if (d->what == MOCK_TRAPPED) {
        end(vm, d->exit_code, 0);
    } else if (d->what == MOCK_REPORTED) {
        println(vm, d->text);
    }
}

/* The next input of a kind; the cursor is left on it, so that looking again costs nothing. */
static const mock_input *find_input(const mock_vm *vm, size_t *cursor, int control)
{
    for (; *cursor < vm->inputs.count; (*cursor)++) {
        const mock_input *input = &vm->inputs.items[*cursor];
        int is_control = input->kind != MOCK_INPUT_STDIN && input->kind != MOCK_INPUT_STDIN_END;
        if (is_control == control)
            return input;
    }
    return NULL;
}

static const mock_input *next_control(mock_vm *vm)
{
    return find_input(vm, &vm->next_control, 1);
}

static const mock_input *next_stdin(mock_vm *vm)
{
    return find_input(vm, &vm->next_stdin, 0);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When something from outside next hits the script, as far as is known. */
static int64_t next_control_time(mock_vm *vm)
{
    const mock_input *input = next_control(vm);
    int64_t time = input ? input->time_ns : MOCK_NEVER;
    return earlier(time, earlier(vm->kill_ns, vm->run.crash_ns));
}

/* What it was waiting for takes as much longer as it stood still; then come the signals. */
static void go_on(mock_vm *vm, int64_t time)
{
    if (!vm->paused_ns)
        return;
    if (vm->since_ns)
        vm->since_ns += time - vm->paused_ns;
    vm->paused_ns = 0;
    for (int32_t signal = 1; signal < MOCK_SIGNAL_COUNT && !vm->ended; signal++)
        if (vm->pending[signal]) {
            vm->pending[signal] = 0;
            deliver(vm, signal);
        }
}

static void take_control(mock_vm *vm, const mock_input *input)
{
    if (input->kind == MOCK_INPUT_PAUSE)
        vm->paused_ns = input->time_ns;
    else if (input->kind == MOCK_INPUT_RESUME)
        go_on(vm, input->time_ns);
    else if (vm->paused_ns && input->signal != MOCK_SIGKILL)
        vm->pending[input->signal] = 1;
    else
        deliver(vm, input->signal);
}

static void apply_control(mock_vm *vm, int64_t time)
{
    const mock_input *input = next_control(vm);
    if (vm->run.crash_ns == time) {
        end(vm, MOCK_EXIT_UNKNOWN, 1);
    } else if (vm->kill_ns == time) {
        end(vm, 128 + MOCK_SIGKILL, 0);
    } else if (input && input->kind == MOCK_INPUT_CRASH) {
        end(vm, MOCK_EXIT_UNKNOWN, 1);
    } else if (input) {
        vm->next_control++;
        take_control(vm, input);
    }
}

/* ---- Actions -------------------------------------------------------------------------------- */

static void print_user(mock_vm *vm)
{
    const char *user = *vm->run.user ? vm->run.user : "0";
    print(vm, user);
    println(vm, strchr(user, ':') ? "" : ":0");
}

static void print_variable(mock_vm *vm, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < vm->run.env.count; i++) {
        const char *entry = vm->run.env.items[i];
        if (strncmp(entry, name, n) == 0 && entry[n] == '=') {
            println(vm, entry + n + 1);
            return;
        }
    }
    println(vm, "");
}

static void print_args(mock_vm *vm)
{
    for (size_t i = 0; i < vm->script.count; i++)
        println(vm, vm->script.words[i]);
}

/* One chunk of output of an action that repeats itself `number` times; 1 when that was the last. */
static int print_repeated(mock_vm *vm, const mock_action *action)
{
    if (action->verb == MOCK_REPEAT && !*action->text)
        return 1;
    while (vm->progress < action->number && vm->out.size < CHUNK) {
        vm->progress++;
        if (action->verb == MOCK_REPEAT)
            print(vm, action->text);
        else if (action->verb == MOCK_LINES)
            wci_str_printf(&vm->out, "%s %lld\n", action->text, (long long)vm->progress);
        else
            wci_str_append_c(&vm->out, (char)('a' + (vm->progress - 1) % 26));
    }
    return vm->progress >= action->number;
}

static int32_t channel_of(mock_verb verb)
{
    return verb == MOCK_ERR || verb == MOCK_ERRLN || verb == MOCK_UNKNOWN || verb == MOCK_FILE
               ? WC_STREAM_STDERR
               : WC_STREAM_STDOUT;
}

static void run_instant(mock_vm *vm, const mock_action *action)
{
    switch (action->verb) {
    case MOCK_OUT:
    case MOCK_ERR:
        print(vm, action->text);
        break;
    case MOCK_OUTLN:
    case MOCK_ERRLN:
        println(vm, action->text);
        break;
    case MOCK_ENV:
        print_variable(vm, action->text);
        break;
    case MOCK_ARGS:
        print_args(vm);
        break;
    case MOCK_WORKDIR:
        println(vm, *vm->run.workdir ? vm->run.workdir : "/");
        break;
    case MOCK_USER:
        print_user(vm);
        break;
    case MOCK_HOSTNAME:
        println(vm, vm->run.hostname);
        break;
    case MOCK_TTY:
        println(vm, vm->run.tty ? "yes" : "no");
        break;
    case MOCK_TRAP:
        vm->signals[action->signal] =
            (mock_disposition){MOCK_TRAPPED, (int32_t)(action->number & 255), NULL};
        break;
    case MOCK_IGNORE:
        vm->signals[action->signal] = (mock_disposition){MOCK_IGNORED, 0, NULL};
        break;
    case MOCK_ON:
        vm->signals[action->signal] = (mock_disposition){MOCK_REPORTED, 0, action->text};
        break;
    case MOCK_SIGNAL:
        deliver(vm, action->signal);
        break;
    case MOCK_EXIT:
        end(vm, (int32_t)(action->number & 255), 0);
        break;
    case MOCK_FILE:
        wci_str_printf(&vm->out, "%s: the mock backend has no files\n", action->text);
        end(vm, 1, 0);
        break;
    default:
        wci_str_printf(&vm->out, "%s: no such action\n", action->text);
        end(vm, 2, 0);
        break;
    }
    next_action(vm);
}

/* When a waiting action goes on by itself; MOCK_NEVER: not as things are. */
static int64_t wake_time(mock_vm *vm, const mock_action *action)
{
    const mock_input *input;
    switch (action->verb) {
    case MOCK_SLEEP:
        return vm->since_ns + action->number * NS_PER_MS;
    case MOCK_CAT:
        if (!vm->run.open_stdin)
            return vm->time_ns;
        input = next_stdin(vm);
        return input ? (input->time_ns > vm->time_ns ? input->time_ns : vm->time_ns) : MOCK_NEVER;
    default:
        return MOCK_NEVER;
    }
}

/* Goes on with a waiting action whose time has come; what `cat` copies is the returned input. */
static const mock_input *resume(mock_vm *vm, const mock_action *action)
{
    const mock_input *input = NULL;
    if (action->verb == MOCK_CAT && vm->run.open_stdin)
        input = next_stdin(vm);
    if (!input || input->kind == MOCK_INPUT_STDIN_END) {
        next_action(vm);
        return NULL;
    }
    vm->next_stdin++;
    return input;
}

static int is_waiting(mock_verb verb)
{
    return verb == MOCK_SLEEP || verb == MOCK_FOREVER || verb == MOCK_CAT;
}

static int is_repeating(mock_verb verb)
{
    return verb == MOCK_REPEAT || verb == MOCK_LINES || verb == MOCK_BYTES;
}

static void advance_to(mock_vm *vm, int64_t time)
{
    if (time > vm->time_ns)
        vm->time_ns = time;
}

/* One move; *step is filled and 1 returned when there is something to tell. */
static int move(mock_vm *vm, int64_t now, mock_step *step)
{
    int64_t control = next_control_time(vm);
    if (control <= vm->time_ns) {
        apply_control(vm, control);
        return 0;
    }
    if (vm->paused_ns) {
        *step = (mock_step){.kind = MOCK_STEP_WAITS, .time_ns = control, .paused = 1};
        if (control <= now)
            advance_to(vm, control);
        return control > now;
    }
    if (vm->pc == vm->script.count) {
        end(vm, 0, 0);
        return 0;
    }
    const mock_action *action = &vm->script.actions[vm->pc];
    if (!is_waiting(action->verb)) {
        int32_t channel = channel_of(action->verb);
        if (!is_repeating(action->verb))
            run_instant(vm, action);
        else if (print_repeated(vm, action))
            next_action(vm);
        *step = output(vm, channel, vm->out.data, vm->out.size);
        return vm->out.size > 0;
    }
    if (!vm->since_ns)
        vm->since_ns = vm->time_ns;
    int64_t wake = wake_time(vm, action);
    int64_t when = earlier(wake, control);
    if (when > now) {
        *step = (mock_step){.kind = MOCK_STEP_WAITS, .time_ns = when};
        return 1;
    }
    advance_to(vm, when);
    const mock_input *copied = control <= wake ? NULL : resume(vm, action);
    if (copied)
        *step = output(vm, WC_STREAM_STDOUT, copied->data, copied->size);
    return copied != NULL;
}

mock_step wci_mock_vm_step(mock_vm *vm, int64_t now)
{
    mock_step step;
    wci_str_clear(&vm->out);
    while (!vm->ended)
        if (move(vm, now, &step))
            return step;
        else if (vm->out.size)
            return output(vm, WC_STREAM_STDOUT, vm->out.data, vm->out.size);
    return vm->end;
}

mock_step wci_mock_vm_skip(mock_vm *vm, int64_t now)
{
    mock_step step;
    do
        step = wci_mock_vm_step(vm, now);
    while (step.kind == MOCK_STEP_OUTPUT);
    return step;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static int32_t open_files(mock_vm *vm, const char *dir, int64_t number, const char *process,
                          wc_error **err)
{
    char *run_path = wci_mock_path(dir, number, process, "run");
    vm->input_path = wci_mock_path(dir, number, process, "in");
    int32_t rc = run_path && vm->input_path ? wci_mock_run_load(run_path, &vm->run, err)
                                            : wci_err_nomem(err);
    wci_free(run_path);
    if (rc == WC_OK)
        rc = wci_mock_script_parse(&vm->run.args, &vm->script, err);
    if (rc == WC_OK && process)
        rc = wci_mock_vm_open(dir, number, NULL, &vm->container, err);
    return rc;
}

int32_t wci_mock_vm_open(const char *dir, int64_t number, const char *process, mock_vm **out,
                         wc_error **err)
{
    mock_vm *vm = wci_calloc(1, sizeof *vm);
    if (!vm)
        return wci_err_nomem(err);
    int32_t rc = open_files(vm, dir, number, process, err);
    if (rc) {
        wci_mock_vm_free(vm);
        return rc;
    }
    vm->time_ns = vm->run.started_ns;
    vm->kill_ns = MOCK_NEVER;
    *out = vm;
    return WC_OK;
}

void wci_mock_vm_free(mock_vm *vm)
{
    if (!vm)
        return;
    wci_mock_vm_free(vm->container);
    wci_mock_script_free(&vm->script);
    wci_mock_run_free(&vm->run);
    wci_mock_inputs_free(&vm->inputs);
    wci_str_free(&vm->out);
    wci_free(vm->input_path);
    wci_free(vm);
}

int32_t wci_mock_vm_refresh(mock_vm *vm, wc_error **err)
{
    if (vm->container) {
        int32_t rc = wci_mock_vm_refresh(vm->container, err);
        if (rc)
            return rc;
    }
    return wci_mock_inputs_read(&vm->inputs, vm->input_path, err);
}
