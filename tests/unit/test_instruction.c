/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a Dockerfile. Most outcomes are those that `docker commit --change` gave for the same lines, with an image
 * that had CMD ["old"] and ENV PATH=/bin; where we refuse what Docker keeps, the test says so. */
#include "support/support.h"

#include <jansson.h>

#include <wincontainer/error.h>

#include "core/json.h"
#include "core/str.h"
#include "image/instruction.h"

typedef struct row {
    const char *lines[3];
    const char *changed; /* members of the outcome beside or instead of the base's; NULL: refused */
} row;

static const row rows[] = {
    {{"ENV A=b C=d"}, "{'Env':['PATH=/bin','A=b','C=d']}"},
    {{"ENV Q=\"x y\" R='$A'"}, "{'Env':['PATH=/bin','Q=x y','R=$A']}"},
    {{"ENV old the rest of it"}, "{'Env':['PATH=/bin','old=the rest of it']}"},
    {{"ENV A=1", "ENV A=2 B=$A"}, "{'Env':['PATH=/bin','A=2','B=1']}"},
    {{"ENV A=${PATH:-none} B=${NO:-d$PATH} C=${PATH:+set} D=${NO:+set}"},
     "{'Env':['PATH=/bin','A=/bin','B=d/bin','C=set','D=']}"},
    {{"ENV A=a\\ b B=\"a\\\"b\\$c\""}, "{'Env':['PATH=/bin','A=a b','B=a\\\"b$c']}"},
    {{"ENV A= B=c"}, "{'Env':['PATH=/bin','A=','B=c']}"},
    {{"ENV A=b\tC=d"}, "{'Env':['PATH=/bin','A=b','C=d']}"},
    {{"  ENV   A=b  "}, "{'Env':['PATH=/bin','A=b']}"},
    {{"ENV A=$1x"}, "{'Env':['PATH=/bin','A=x']}"},
    {{"ENV PATH=$PATH:/x"}, "{'Env':['PATH=/bin:/x']}"},
    {{"LABEL a=b \"c d\"=\"e f\""}, "{'Labels':{'a':'b','c d':'e f'}}"},
    {{"LABEL one two three"}, "{'Labels':{'one':'two three'}}"},
    {{"LABEL x=$PATH"}, "{'Labels':{'x':'/bin'}}"},
    {{"EXPOSE 80/tcp 90/udp 7"}, "{'ExposedPorts':{'7/tcp':{},'80/tcp':{},'90/udp':{}}}"},
    {{"EXPOSE 1-3"}, "{'ExposedPorts':{'1/tcp':{},'2/tcp':{},'3/tcp':{}}}"},
    {{"EXPOSE 80/TCP"}, "{'ExposedPorts':{'80/tcp':{}}}"},
    {{"VOLUME /a /b"}, "{'Volumes':{'/a':{},'/b':{}}}"},
    {{"VOLUME [\"/a\", \"/b c\"]"}, "{'Volumes':{'/a':{},'/b c':{}}}"},
    {{"CMD echo  hi"}, "{'Cmd':['/bin/sh','-c','echo  hi']}"},
    {{"cmd [\"a\", \"b\"]"}, "{'Cmd':['a','b']}"},
    {{"CMD ['a']"}, "{'Cmd':['/bin/sh','-c','[\\u0027a\\u0027]']}"},
    {{"CMD []"}, "{'Cmd':null}"},
    {{"ENTRYPOINT [\"x\"]"}, "{'Entrypoint':['x'],'Cmd':null}"},
    {{"CMD a", "ENTRYPOINT [\"x\"]"}, "{'Cmd':['/bin/sh','-c','a'],'Entrypoint':['x']}"},
    {{"ENTRYPOINT ls  -l"}, "{'Entrypoint':['/bin/sh','-c','ls  -l'],'Cmd':null}"},
    {{"USER $PATH"}, "{'User':'/bin'}"},
    {{"WORKDIR rel"}, "{'WorkingDir':'/rel'}"},
    {{"WORKDIR /x", "WORKDIR y"}, "{'WorkingDir':'/x/y'}"},
    {{"STOPSIGNAL RTMIN+3"}, "{'StopSignal':'RTMIN+3'}"},
    {{"HEALTHCHECK NONE"}, "{'Healthcheck':{'Test':['NONE']}}"},
    {{"HEALTHCHECK --interval=5s --retries=3 CMD curl x"},
     "{'Healthcheck':{'Interval':5000000000,'Retries':3,'Test':['CMD-SHELL','curl x']}}"},
    {{"HEALTHCHECK CMD [\"a\",\"b\"]"}, "{'Healthcheck':{'Test':['CMD','a','b']}}"},
    {{"ONBUILD RUN x"}, "{'OnBuild':['RUN x']}"},
    {{"CMD [\"a\", 1]"}, NULL},
    {{"VOLUME [1]"}, NULL},
    {{"HEALTHCHECK CMD [1]"}, NULL},
    {{"HEALTHCHECK CMD []"}, NULL},
    {{"EXPOSE x"}, NULL},
    {{"EXPOSE 3-1"}, NULL},
    {{"EXPOSE 1-65536"}, NULL},
    {{"EXPOSE $PATH"}, NULL},
    {{"EXPOSE"}, NULL},
    {{"EXPOSE 0"}, NULL},         /* Docker keeps it; nothing listens there */
    {{"EXPOSE 8080:80"}, NULL},   /* Docker keeps half of it */
    {{"VOLUME rel"}, NULL},       /* Docker keeps it, and then cannot run the image */
    {{"VOLUME []"}, NULL},
    {{"USER a b"}, NULL},         /* as above */
    {{"USER a:b:c"}, NULL},       /* as above */
    {{"STOPSIGNAL FOO"}, NULL},
    {{"WORKDIR"}, NULL},
    {{"HEALTHCHECK"}, NULL},
    {{"HEALTHCHECK foo"}, NULL},
    {{"HEALTHCHECK CMD"}, NULL},
    {{"HEALTHCHECK --foo=1 CMD x"}, NULL},
    {{"HEALTHCHECK --interval=1us CMD x"}, NULL},
    {{"HEALTHCHECK --retries=x CMD x"}, NULL},
    {{"ONBUILD FROM x"}, NULL},
    {{"ONBUILD onbuild RUN x"}, NULL},
    {{"ONBUILD"}, NULL},
    {{"ENV"}, NULL},
    {{"ENV A"}, NULL},
    {{"ENV =x"}, NULL},
    {{"ENV A=\"b"}, NULL},
    {{"ENV A='b"}, NULL},
    {{"ENV A=${B"}, NULL},
    {{"ENV A=${B?x}"}, NULL},
    {{"ENV X=a#b # no"}, NULL},
    {{"LABEL"}, NULL},
    {{"RUN x"}, NULL},
    {{""}, NULL},
    {{"ENV A=b\nUSER root"}, NULL},
};

static json_t *parse(const char *text)
{
    char copy[256], *p = copy;
    snprintf(copy, sizeof copy, "%s", text);
    for (; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *object = json_loads(copy, 0, NULL);
    ck_assert_msg(object != NULL, "%s", copy);
    return object;
}

static int32_t apply(const char *const *lines, const char *os, json_t *config, wc_error **err)
{
    wci_strv list = WCI_STRV_INIT;
    for (; *lines; lines++)
        ck_assert_int_eq(wci_strv_add(&list, *lines), 0);
    int32_t rc = wci_instructions_apply(&list, os, config, err);
    wci_strv_free(&list);
    return rc;
}

START_TEST(outcomes)
{
    const row *r = &rows[_i];
    json_t *config = parse("{'Env':['PATH=/bin'],'Cmd':['old']}"), *wanted = json_deep_copy(config), *value;
    const char *key;
    wc_error *err = NULL;
    int32_t rc = apply(r->lines, "linux", config, &err);
    if (!r->changed) {
        ck_assert_msg(rc == WC_E_INVALID, "%s: %d", r->lines[0], rc);
        ck_assert_ptr_nonnull(err);
    } else {
        ck_assert_msg(rc == WC_OK, "%s: %s", r->lines[0], err ? wc_error_message(err) : "");
        json_t *changed = parse(r->changed);
        json_object_foreach(changed, key, value)
            json_is_null(value) ? json_object_del(wanted, key) : json_object_set(wanted, key, value);
        json_decref(changed);
        char *got = json_dumps(config, JSON_SORT_KEYS);
        ck_assert_msg(json_equal(config, wanted), "%s: %s", r->lines[0], got);
        free(got);
    }
    wc_error_unref(err);
    json_decref(config);
    json_decref(wanted);
}
END_TEST

static void expect_windows(const char *line, const char *wanted)
{
    const char *lines[] = {line, NULL};
    json_t *config = json_object(), *outcome = parse(wanted);
    ck_assert_int_eq(apply(lines, "windows", config, NULL), WC_OK);
    ck_assert_msg(json_equal(config, outcome), "%s", line);
    json_decref(config);
    json_decref(outcome);
}

START_TEST(windows_lines)
{
    expect_windows("CMD dir C:", "{'Cmd':['cmd /S /C dir C:'],'ArgsEscaped':true}");
    expect_windows("CMD [\"a.exe\", \"b\"]", "{'Cmd':['a.exe','b'],'ArgsEscaped':false}");
    expect_windows("WORKDIR app", "{'WorkingDir':'C:\\\\app'}");
    expect_windows("WORKDIR C:/app", "{'WorkingDir':'C:/app'}");
    expect_windows("VOLUME C:/data", "{'Volumes':{'C:/data':{}}}");
}
END_TEST

START_TEST(nesting_ends)
{
    char line[400] = "ENV A=";
    for (int i = 0; i < 40; i++)
        strcat(line, "${B:-");
    const char *lines[] = {line, NULL};
    json_t *config = json_object();
    ck_assert_int_eq(apply(lines, "linux", config, NULL), WC_E_LIMIT);
    json_decref(config);
}
END_TEST

static const struct {
    const char *text;
    int64_t ns; /* -1: refused */
} durations[] = {
    {"0", 0},          {"5s", 5000000000},  {"1h30m", 5400000000000},          {"1.5s", 1500000000},
    {"200ms", 200000000}, {"1us", 1000},    {"1\xc2\xb5s", 1000},              {".5m", 30000000000},
    {"2562047h47m16.854775807s", 9223372036854775000}, {"1m1m", 120000000000}, {"1ns", 1},
    {"", -1},          {"5", -1},           {"-1s", -1},                       {"1x", -1},
    {"s", -1},         {"1.s", -1},         {"2562048h", -1},                  {"99999999999999999999s", -1},
    {"1h ", -1},       {"00", -1},
};

START_TEST(lengths_of_time)
{
    int64_t ns = -1;
    int32_t rc = wci_duration_parse(durations[_i].text, &ns, NULL);
    ck_assert_int_eq(rc, durations[_i].ns < 0 ? WC_E_INVALID : WC_OK);
    ck_assert_int_eq(ns, durations[_i].ns);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("instruction");
    TCase *t = tcase_create("instruction");
    tcase_add_loop_test(t, outcomes, 0, sizeof rows / sizeof *rows);
    tcase_add_test(t, windows_lines);
    tcase_add_test(t, nesting_ends);
    tcase_add_loop_test(t, lengths_of_time, 0, sizeof durations / sizeof *durations);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
