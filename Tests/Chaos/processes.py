"""Processes that end with this one, and the server as a service manager keeps it."""

import ctypes
import os
import signal
import subprocess
import threading
import time

libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def spawn(arguments, environment=None, **options):
    """Starts a process that is killed when the thread ends that started it, however that comes about."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("ROLECALL_", "XDG_"))}
    return subprocess.Popen(
        [str(part) for part in arguments], env=variables | (environment or {}),
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), **options)


class Server:
    """`rolecall-server` on one port: started again whenever it has ended."""

    def __init__(self, program, data, port, log, random):
        self.arguments = [
            program, "--demo", "--data", data, "--port", port, "--token-lifetime", "7d", "--log-level", "info",
            "--ping-interval", 2000, "--ping-timeout", 6000]
        self.port = port
        self.log = open(log, "ab")
        self.random = random
        self.kills = 0
        # Starts that the server refused with a sentence, for a lock or a full disk, and was started again.
        self.refusals = 0
        # What should not have happened, in sentences.
        self.complaints = []
        self.lock = threading.Lock()
        self.listening = threading.Event()
        self.process = None
        self.is_wanted = True
        # Whether something is done to the database that may keep a server from starting.
        self.hindrances = 0
        self.thread = threading.Thread(target=self.keep)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def keep(self):
        while self.is_wanted:
            process = spawn(self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
            with self.lock:
                self.process = process
            was_hindered = self.hindrances
            line = process.stdout.readline()
            has_listened = line.startswith(b"listening on ")
            if has_listened:
                self.listening.set()
            status = process.wait()
            self.listening.clear()
            process.stdout.close()
            if status == -signal.SIGKILL and process.pid in self.killed or not self.is_wanted:
                time.sleep(self.random.uniform(0, 0.4))
            elif not has_listened and status == 1 and (was_hindered or self.hindrances):
                self.refusals += 1
                time.sleep(0.2)
            else:
                at = time.strftime("%H:%M:%S", time.gmtime())
                self.complaints.append(f"the server ended by itself with status {status} at {at}")
                time.sleep(0.2)

    killed = frozenset()

    def kill(self):
        """Whether there was one to kill."""
        with self.lock:
            process = self.process
            if process is None or process.poll() is not None:
                return False
            self.killed = self.killed | {process.pid}
            process.kill()
            self.kills += 1
            return True

    def stop(self, seconds):
        """Holds it with SIGSTOP for a while. It may be killed meanwhile."""
        process = self.process
        if process is None or process.poll() is not None:
            return False
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
        return True

    def end(self):
        """Asks it to end, and says how it did."""
        self.is_wanted = False
        process = self.process
        if process is not None:
            process.send_signal(signal.SIGTERM)
        self.thread.join(30)
        if self.thread.is_alive():
            process.kill()
            self.thread.join()
            self.complaints.append("the server did not end when it was asked to")
        elif process.returncode != 0:
            self.complaints.append(f"the server was asked to end, and ended with status {process.returncode}")
        self.log.close()
