// SPDX-License-Identifier: Apache-2.0

import java.util.concurrent.atomic.AtomicLong;

/** The C API from Java, with a few lines of JNI: handles cross as longs, failures as exceptions. */
public final class Smoke {
    static final int E_CANCELLED = -6;

    /** A failed call. */
    public static final class WcException extends RuntimeException {
        final int code;

        WcException(int code, String message) {
            super(code + ": " + message);
            this.code = code;
        }
    }

    /** Called on the thread that pulls. */
    public interface Progress {
        boolean report(int kind);
    }

    /** What a container wrote, and how it ended. */
    public static final class Result {
        byte[] out;
        byte[] err;
        int code;
    }

    static native String version();

    static native long open(String root, String backend);

    static native void close(long context);

    static native void pull(long context, String source, String name, Progress progress);

    static native Result run(long context, String image, String[] args);

    static native long start(long context, String image, String[] args);

    static native int await(long container, long cancel);

    static native void remove(long container);

    static native long newCancel();

    static native void trigger(long cancel);

    static native void freeCancel(long cancel);

    private static void expect(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.loadLibrary("smoke");
        System.out.println("wincontainer " + version() + " from Java");
        boolean real = System.getenv("WC_BACKEND").equals("process");
        long context = open(System.getenv("WC_ROOT"), System.getenv("WC_BACKEND"));
        int[] reports = {0};
        Thread caller = Thread.currentThread();
        pull(context, System.getenv("WC_IMAGE"), "smoke:latest", kind -> {
            expect(Thread.currentThread() == caller, "progress came on another thread");
            reports[0]++;
            return true;
        });
        expect(reports[0] > 0, "no progress was reported");

        String[] command = real
            ? new String[] {"sh", "-c", "echo hello; echo oops >&2; exit 7"}
            : new String[] {"outln:hello", "err:oops\n", "exit:7"};
        Result result = run(context, "smoke:latest", command);
        expect(new String(result.out, "UTF-8").equals("hello\n"), "output");
        expect(new String(result.err, "UTF-8").equals("oops\n"), "error output");
        expect(result.code == 7, "exit code " + result.code);

        long container = start(context, "smoke:latest",
            real ? new String[] {"sleep", "600"} : new String[] {"sleep:600000"});
        long cancel = newCancel();
        AtomicLong begun = new AtomicLong();
        Thread other = new Thread(() -> {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            begun.set(System.nanoTime());
            trigger(cancel);
        });
        other.start();
        try {
            await(container, cancel);
            throw new AssertionError("the wait was not cancelled");
        } catch (WcException e) {
            expect(e.code == E_CANCELLED, e.getMessage());
            expect(System.nanoTime() - begun.get() < 500_000_000L, "the cancel took too long");
        }
        other.join();
        remove(container);
        freeCancel(cancel);
        close(context);
        System.out.println("ok");
    }
}
