// Command judge says of Kubernetes objects what GitOps tools would: kstatus by the library that Flux and kpt use, and
// Argo CD's health by the Lua interpreter that Argo CD embeds, with no more of Lua's libraries than Argo CD opens.
//
// It reads a JSON array of cases from standard input and writes a JSON array of verdicts, in the same order.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type testCase struct {
	// Object is decoded by Kubernetes' own rules: kstatus takes integers for int64 only.
	Object unstructured.Unstructured `json:"object"`
	// Health is the text of a health.lua.
	Health string `json:"health"`
}

type judgement struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type verdict struct {
	Kstatus judgement `json:"kstatus"`
	ArgoCD  judgement `json:"argocd"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var cases []testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return err
	}
	verdicts := make([]verdict, 0, len(cases))
	for _, each := range cases {
		computed, err := status.Compute(&each.Object)
		if err != nil {
			return fmt.Errorf("kstatus of %s: %w", each.Object.GetName(), err)
		}
		health, err := argoHealth(each.Object.Object, each.Health)
		if err != nil {
			return fmt.Errorf("health of %s: %w", each.Object.GetName(), err)
		}
		verdicts = append(verdicts, verdict{
			Kstatus: judgement{Status: computed.Status.String(), Message: computed.Message},
			ArgoCD:  health,
		})
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func argoHealth(object map[string]any, script string) (judgement, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return judgement{}, err
		}
	}
	state.SetGlobal("obj", asLua(state, object))
	if err := state.DoString(script); err != nil {
		return judgement{}, err
	}
	returned, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return judgement{}, fmt.Errorf("it returned a %s, not a table", state.Get(-1).Type())
	}
	said := judgement{}
	for field, target := range map[string]*string{"status": &said.Status, "message": &said.Message} {
		text, ok := returned.RawGetString(field).(lua.LString)
		if !ok {
			return judgement{}, fmt.Errorf("%s is no text", field)
		}
		*target = string(text)
	}
	return said, nil
}

func asLua(state *lua.LState, value any) lua.LValue {
	switch typed := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, child := range typed {
			table.RawSetString(key, asLua(state, child))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, child := range typed {
			table.Append(asLua(state, child))
		}
		return table
	case string:
		return lua.LString(typed)
	case bool:
		return lua.LBool(typed)
	case int64:
		return lua.LNumber(typed)
	case float64:
		return lua.LNumber(typed)
	default:
		return lua.LNil
	}
}
