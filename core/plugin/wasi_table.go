package plugin

import (
	"strings"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// wasiModule is the module that language runtimes import their system interface from.
const wasiModule = "wasi_snapshot_preview1"

// wasiFunction is a function of WASI preview 1.
type wasiFunction struct {
	name      string
	signature abi.Signature
	do        hostFunction
}

// wasiFunctions returns all functions of WASI preview 1. Those without a use in a gateway say ENOSYS.
func wasiFunctions() []wasiFunction {
	return []wasiFunction{
		wasi("args_get", "ii", wasiSuccess), // empty: nothing to write
		wasi("args_sizes_get", "ii", wasiNone),
		wasi("environ_get", "ii", wasiSuccess),
		wasi("environ_sizes_get", "ii", wasiNone),
		wasi("clock_res_get", "ii", wasiClockRes),
		wasi("clock_time_get", "iIi", wasiClockTime),
		wasi("fd_advise", "iIIi", wasiNoSys),
		wasi("fd_allocate", "iII", wasiNoSys),
		wasi("fd_close", "i", wasiClose),
		wasi("fd_datasync", "i", wasiNoSys),
		wasi("fd_fdstat_get", "ii", wasiFdstat),
		wasi("fd_fdstat_set_flags", "ii", wasiSetFlags),
		wasi("fd_fdstat_set_rights", "iII", wasiNoSys),
		wasi("fd_filestat_get", "ii", wasiFilestat),
		wasi("fd_filestat_set_size", "iI", wasiNoSys),
		wasi("fd_filestat_set_times", "iIIi", wasiNoSys),
		wasi("fd_pread", "iiiIi", wasiNoSys),
		wasi("fd_prestat_get", "ii", wasiBadFile), // how runtimes learn that there are no directories
		wasi("fd_prestat_dir_name", "iii", wasiBadFile),
		wasi("fd_pwrite", "iiiIi", wasiNoSys),
		wasi("fd_read", "iiii", wasiRead),
		wasi("fd_readdir", "iiiIi", wasiNoSys),
		wasi("fd_renumber", "ii", wasiNoSys),
		wasi("fd_seek", "iIii", wasiSeek),
		wasi("fd_sync", "i", wasiNoSys),
		wasi("fd_tell", "ii", wasiSeek),
		wasi("fd_write", "iiii", wasiWrite),
		wasi("path_create_directory", "iii", wasiNoSys),
		wasi("path_filestat_get", "iiiii", wasiNoSys),
		wasi("path_filestat_set_times", "iiiiIIi", wasiNoSys),
		wasi("path_link", "iiiiiii", wasiNoSys),
		wasi("path_open", "iiiiiIIii", wasiNoSys),
		wasi("path_readlink", "iiiiii", wasiNoSys),
		wasi("path_remove_directory", "iii", wasiNoSys),
		wasi("path_rename", "iiiiii", wasiNoSys),
		wasi("path_symlink", "iiiii", wasiNoSys),
		wasi("path_unlink_file", "iii", wasiNoSys),
		wasi("poll_oneoff", "iiii", wasiPoll),
		{name: "proc_exit", signature: abi.Signature{Params: wasiParams("i")}, do: wasiExit},
		wasi("proc_raise", "i", wasiNoSys),
		wasi("random_get", "ii", wasiRandom),
		wasi("sched_yield", "", wasiSuccess),
		wasi("sock_accept", "iii", wasiNoSys),
		wasi("sock_recv", "iiiiii", wasiNoSys),
		wasi("sock_send", "iiiii", wasiNoSys),
		wasi("sock_shutdown", "ii", wasiNoSys),
	}
}

func wasi(name, params string, do hostFunction) wasiFunction {
	return wasiFunction{name, abi.Signature{Params: wasiParams(params), Result: abi.I32}, do}
}

// wasiParams reads a letter for each parameter: i for i32, I for i64.
func wasiParams(letters string) (params []abi.Param) {
	for i, letter := range strings.Split(letters, "") {
		t := abi.I32
		if letter == "I" {
			t = abi.I64
		}
		params = append(params, abi.Param{Name: string(rune('a' + i)), Type: t})
	}
	return params
}
